import Foundation
import Push
import Testing

/// Thousands of random steps by the rules, with the store beside a model of them. `PSP_SEED` and `PSP_SEEDS` repeat a run, or
/// make it longer.
@Suite("The store beside a model of the rules")
struct ModelTests {
    private static let first = UInt64(ProcessInfo.processInfo.environment["PSP_SEED"] ?? "") ?? UInt64.random(in: 1...1_000_000)
    private static let count = UInt64(ProcessInfo.processInfo.environment["PSP_SEEDS"] ?? "") ?? 16

    @Test("after every step of a random walk, counts, lists and pages are those of the model", arguments: first..<first + count)
    func walk(seed: UInt64) async throws {
        let walk = try await RandomWalk(seed: seed)
        for _ in 0..<200 {
            try await walk.step()
            guard walk.isSame else {
                Issue.record("seed \(seed)")
                return
            }
        }
    }
}
