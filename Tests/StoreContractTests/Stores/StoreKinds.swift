import Foundation
import StoreContract

/// Every store that is judged: a new one joins here, with what it says of itself in a file of its own beside this one.
/// `PSP_STORE_KINDS=postgres` in the environment keeps to those whose name contains that.
let storeKinds: [StoreKind] = {
    let all: [StoreKind] = [.sqlite, .sqlite.inTurn, .memory, .postgres, .postgres.inTurn]
    guard let wanted = ProcessInfo.processInfo.environment["PSP_STORE_KINDS"] else { return all }
    return all.filter { $0.description.lowercased().contains(wanted.lowercased()) }
}()

/// Those that claim what a test needs.
func stores(_ needed: Capability...) -> [StoreKind] { storeKinds.filter { $0.claims(needed) } }
