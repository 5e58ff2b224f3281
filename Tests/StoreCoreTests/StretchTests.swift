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

    @Test("what was done while the wall clock was ahead goes forward too, although no row came meanwhile")
    func stampsMeanwhile() {
        var all = stretches((0, 0, 0), (10, 1_000, 50_000))
        // Ahead without a break, at another time of day: one stretch.
        all.step(to: 60_000, after: 10, at: 30_000)
        let concerned = all.goForward(by: 60_000, after: 10, at: 90_000)
        #expect(concerned == 10)
        let expected = [
            Stretch(after: 0, since: 0, offset: 0), Stretch(after: 10, since: 1_000, offset: 0, shift: 60_000),
            Stretch(after: 10, since: 150_000, offset: 0),
        ]
        #expect(all.all == expected)
        #expect([999, 1_000, 89_999, 150_000].map { all.meaning(ofStamp: $0) } == [999, 61_000, 149_999, 150_000])
        #expect([10, 11].map { all[$0].shift } == [0, 0])
        // Its end stays, whatever the clock does while no row comes.
        all.step(to: 3_000, after: 10, at: 160_000)
        all.step(to: -8_000, after: 10, at: 170_000)
        all.step(to: 0, after: 10, at: 180_000)
        #expect(all.all == expected)
        #expect(all.meaning(ofStamp: 155_000) == 155_000)
        let forgot = all.forget(before: 11)
        #expect(forgot && all.all == [expected[2]])
    }

    @Test("many steps are begun at once, further ones after a pause, and none that is ahead of store time waits")
    func pauses() {
        var all = stretches((0, 0, 0))
        for step in 1...UInt64(1_023) {
            #expect(all.mayStep(to: -9_000, at: Int64(step)))
            all.step(to: step % 2 == 0 ? 0 : -9_000, after: step, at: Int64(step))
        }
        #expect(all.all.count == 1_024)
        let now = all.last.since
        #expect(!all.mayStep(to: 0, at: now + 599_999))
        #expect(all.mayStep(to: 0, at: now + 600_000))
        #expect(all.mayStep(to: 2_001, at: now))
        all.step(to: 2_001, after: 2_000, at: now)
        #expect(!all.mayStep(to: 9_000, at: now + 1))
        #expect(!all.mayStep(to: 0, at: now + 1))
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
