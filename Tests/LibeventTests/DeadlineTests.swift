import Testing

@testable import Libevent

@Suite("Deadlines of many")
struct DeadlineTests {
    @Test("a slot is due at its tick, once")
    func due() {
        var schedule = DeadlineSchedule()
        schedule.set(7, to: 3)
        #expect(schedule.count == 1)
        #expect(schedule.advance(to: 2).isEmpty)
        #expect(schedule.advance(to: 3) == [7])
        #expect(schedule.count == 0)
        #expect(schedule.advance(to: 100).isEmpty)
    }

    @Test("a deadline can be moved away, moved near, and removed")
    func moved() {
        var schedule = DeadlineSchedule()
        schedule.set(0, to: 10)
        schedule.set(0, to: 20)
        schedule.set(1, to: 20)
        schedule.set(1, to: 10)
        schedule.set(2, to: 10)
        schedule.remove(2)
        schedule.remove(99)
        #expect(schedule.count == 2)
        #expect(schedule.advance(to: 10) == [1])
        #expect(schedule.advance(to: 19).isEmpty)
        #expect(schedule.advance(to: 20) == [0])
    }

    @Test("what is past is due at the next tick, and rounds of the wheel do not confuse it")
    func rounds() {
        var schedule = DeadlineSchedule()
        schedule.startAnew(at: 1000)
        schedule.set(0, to: 5)
        schedule.set(1, to: 1000 + 3 * 512 + 1)
        #expect(schedule.advance(to: 1001) == [0])
        #expect(schedule.advance(to: 1000 + 3 * 512).isEmpty)
        #expect(schedule.advance(to: 1000 + 3 * 512 + 1) == [1])
    }

    @Test("does what a dictionary of deadlines would do")
    func model() {
        var random = SystemRandomNumberGenerator()
        var schedule = DeadlineSchedule()
        var model: [Int: Int64] = [:]
        var now: Int64 = 0
        for _ in 0..<200_000 {
            let slot = Int.random(in: 0..<500, using: &random)
            switch Int.random(in: 0..<10, using: &random) {
            case 0:
                schedule.remove(slot)
                model[slot] = nil
            case 1:
                now += Int64.random(in: 0..<40, using: &random)
                let due = model.filter { $0.value <= now }.keys
                #expect(Set(schedule.advance(to: now)) == Set(due))
                for slot in due { model[slot] = nil }
            default:
                let tick = now + Int64.random(in: -2..<1500, using: &random)
                schedule.set(slot, to: tick)
                model[slot] = max(tick, now + 1)
            }
            #expect(schedule.count == model.count)
        }
    }

    private actor WheelOwner {
        let loop: EventLoop
        nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }
        private var wheel: DeadlineWheel?
        private var starts: [Int: Int64] = [:]
        private(set) var waits: [Int: Duration] = [:]
        init(_ loop: EventLoop) { self.loop = loop }

        func start() throws {
            wheel = try DeadlineWheel(on: loop, resolution: .milliseconds(10)) { [unowned self] slot in
                waits[slot] = .nanoseconds(loop.monotonicNow - (starts[slot] ?? 0))
                if slot == 100 && waits.count < 5 { set(101, .milliseconds(10)) }
            }
        }
        func set(_ slot: Int, _ delay: Duration) {
            starts[slot] = loop.monotonicNow
            wheel?.set(slot, after: delay)
        }
        func remove(_ slot: Int) { wheel?.remove(slot) }
        func stop() { wheel = nil }
    }

    @Test("on a loop a deadline is met never early, and one set from within a call as well")
    func wheel() async throws {
        try await withLoop { loop in
            let owner = WheelOwner(loop)
            try await owner.start()
            for slot in 1...3 { await owner.set(slot, .milliseconds(30 * Int64(slot))) }
            await owner.set(50, .milliseconds(20))
            await owner.remove(50)
            try await wait(until: "all have come") { await owner.waits.count == 3 }
            for (slot, wait) in await owner.waits { #expect(wait >= .milliseconds(30 * Int64(slot))) }
            // The wheel has stopped; it starts again.
            await owner.set(100, .milliseconds(5))
            try await wait(until: "both have come") { await owner.waits.count == 5 }
            #expect(await owner.waits[50] == nil)
            await owner.stop()
        }
    }
}
