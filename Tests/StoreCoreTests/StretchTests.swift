import Push
import StoreCore
import Testing

@Suite("Stretches of the log between steps of the wall clock")
struct StretchTests {
    private func stretches(_ all: (after: UInt64, since: Int64, offset: Int64)...) -> Stretches {
        Stretches(all.map { Stretch(after: $0.after, since: $0.since, offset: $0.offset) })
    }

    @Test("each position is in the last one that begins before it, and all older ones in the first")
    func positions() {
        let all = stretches((5, 100, 0), (10, 200, 7_000), (20, 300, -9_000))
        #expect([0, 5, 6, 10, 11, 20, 21, UInt64.max].map { all.index(of: $0) } == [0, 0, 0, 0, 1, 1, 2, 2])
        #expect(all[15].offset == 7_000)
    }

    @Test("one without a row is not kept")
    func empty() {
        var all = stretches((0, 0, 0))
        all.step(to: 5_000, after: 0, at: 50)
        #expect(all.all == [Stretch(after: 0, since: 50, offset: 5_000)])
        all.step(to: 9_000, after: 3, at: 60)
        all.step(to: 0, after: 3, at: 70)
        #expect(all.all == [Stretch(after: 0, since: 50, offset: 5_000), Stretch(after: 3, since: 70, offset: 0)])
    }

    @Test("what came while the wall clock was ahead goes forward with store time, and looks the same")
    func forward() {
        var all = stretches((0, 0, 0), (10, 1_000, 50_000), (12, 2_000, 40_000))
        let concerned = all.goForward(by: 40_000, after: 15, at: 3_000)
        #expect(concerned == 10)
        #expect(
            all.all == [
                Stretch(after: 0, since: 0, offset: 0),
                Stretch(after: 10, since: 1_000, offset: 10_000, shift: 40_000),
                Stretch(after: 12, since: 2_000, offset: 0, shift: 40_000),
                Stretch(after: 15, since: 43_000, offset: 0),
            ])
        #expect([500, 1_000, 2_999, 43_000].map { all.meaning(ofStamp: $0) } == [500, 41_000, 42_999, 43_000])
    }

    @Test("where nothing came meanwhile, nothing goes forward")
    func nothingMeanwhile() {
        var all = stretches((0, 0, 0), (10, 1_000, 50_000))
        let concerned = all.goForward(by: 50_000, after: 10, at: 61_000)
        #expect(concerned == 10)
        #expect(all.all == [Stretch(after: 0, since: 0, offset: 0), Stretch(after: 10, since: 111_000, offset: 0)])
    }

    @Test("older ones are forgotten with their rows")
    func forget() {
        var all = stretches((0, 0, 0), (10, 100, 5_000), (20, 200, 0))
        var forgot = all.forget(before: 10)
        #expect(!forgot)
        forgot = all.forget(before: 11)
        #expect(forgot && all.all.map(\.after) == [10, 20])
        #expect(all[3].offset == 5_000)
        forgot = all.forget(before: 1_000)
        #expect(forgot && all.all.map(\.after) == [20])
    }

    @Test("when store time follows")
    func rules() {
        let (hour, day) = (Int64(3_600_000), Int64(86_400_000))
        #expect(ClockRules.wait(ahead: 400 * day, duration: 59_999, isSynchronised: true) == .time(1))
        #expect(ClockRules.wait(ahead: 400 * day, duration: 60_000, isSynchronised: true) == nil)
        #expect(ClockRules.wait(ahead: day - 1, duration: 60_000, isSynchronised: false) == .time(540_000))
        #expect(ClockRules.wait(ahead: hour, duration: 600_000, isSynchronised: false) == nil)
        #expect(ClockRules.wait(ahead: day, duration: 100 * day, isSynchronised: false) == .synchronisation)
    }
}
