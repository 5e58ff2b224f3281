import Foundation
import StoreContract

/// Every store that is judged: a new one joins here, with what it says of itself in a file of its own beside this one.
/// `PSP_STORE_KINDS=postgres` in the environment has those judged whose name contains that, and `PSP_LONG_TESTS` all of them.
let storeKinds: [StoreKind] = {
    let all: [StoreKind] = [.sqlite, .sqlite.inTurn, .memory, .postgres, .postgres.inTurn]
    let environment = ProcessInfo.processInfo.environment
    if let wanted = environment["PSP_STORE_KINDS"] {
        return all.filter { $0.description.lowercased().contains(wanted.lowercased()) }
    }
    return environment["PSP_LONG_TESTS"] == nil ? usualKinds : all
}()

/// Two nodes in turn promise whatever one does. ThreadSanitizer looks at the nodes by tests of their own: their every step goes
/// to another process here, which takes its time and has no race that it sees.
#if THREAD_SANITIZER
    private let usualKinds: [StoreKind] = [.sqlite, .sqlite.inTurn, .memory]
#else
    private let usualKinds: [StoreKind] = [.sqlite, .sqlite.inTurn, .memory, .postgres.inTurn]
#endif

/// Those that claim what a test needs.
func stores(_ needed: Capability...) -> [StoreKind] { storeKinds.filter { $0.claims(needed) } }
