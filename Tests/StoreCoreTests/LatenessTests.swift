import StoreCore
import Testing

@Suite("Whether a store keeps up")
struct LatenessTests {
    private static let second: Int64 = 1_000_000_000

    /// What is judged after waits of so many milliseconds, one a second.
    private func judge(_ waits: [Int64]) -> [Bool] {
        var lateness = Lateness()
        return waits.enumerated().map { index, wait in
            lateness.observe(wait * 1_000_000, at: 100 * Self.second + Int64(index) * Self.second)
            return lateness.isBehind
        }
    }

    @Test("waits that are late for three seconds: it is behind")
    func late() {
        #expect(judge([10, 2_000, 2_500, 2_000, 3_000]) == [false, false, false, false, true])
    }

    @Test("a wait tells since when it has been late: one of five seconds is enough")
    func oneLongWait() {
        #expect(judge([4_999]) == [false])
        #expect(judge([5_000]) == [true])
    }

    @Test("late waits with a prompt one between them: it keeps up")
    func broken() {
        #expect(judge([2_500, 2_500, 1_999, 2_500, 2_500, 0, 4_000]).allSatisfy { !$0 })
    }

    @Test("it has recovered when no wait has been half a second for five seconds, and not sooner")
    func recovery() {
        #expect(judge([5_000, 0, 499, 0, 0, 0]) == [true, true, true, true, true, false])
        // A wait that would not have made it behind keeps it so.
        #expect(judge([5_000, 0, 0, 0, 500, 0, 0, 0, 0, 0]) == [true, true, true, true, true, true, true, true, true, false])
    }

    @Test("it does not flap where waits go up and down about the line")
    func hysteresis() {
        let waits = (0..<60).map { Int64($0 % 3 == 0 ? 2_100 : 1_900) }
        #expect(!judge(waits).contains(true))
        #expect(!judge([6_000] + waits).contains(false))
    }
}
