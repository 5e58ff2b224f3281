import Foundation
import StoreContract
import Testing

/// Thousands of random steps by the rules, with the store beside a model of them. `PSP_SEED` repeats a walk, `PSP_SEEDS` takes
/// more of them.
@Suite("Contract: a random walk beside a model of the rules")
struct WalkTests {
    private static let environment = ProcessInfo.processInfo.environment
    private static let first = UInt64(environment["PSP_SEED"] ?? "") ?? UInt64.random(in: 1...1_000_000)
    private static let count = UInt64(environment["PSP_SEEDS"] ?? "") ?? (environment["PSP_LONG_TESTS"] == "1" ? 128 : 16)

    @Test(
        "after every step counts, lists and pages are those of the model",
        arguments: storeKinds.filter { $0.claims(RandomWalk.needs) && !$0.isInTurn }, first..<first + count)
    func walk(_ kind: StoreKind, seed: UInt64) async throws {
        try await RandomWalk(kind, seed: seed).run(200)
    }
}
