import Base
import Glibc
import Testing

@testable import Libevent

/// Notes what happened, from any thread.
final class Log: Sendable {
    private let entries = Locked<[String]>([])
    func add(_ entry: String) { entries.withLock { $0.append(entry) } }
    var all: [String] { entries.withLock { $0 } }
}

actor Asker {
    let loop: EventLoop
    nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }
    init(_ loop: EventLoop) { self.loop = loop }

    /// Whether this ran on the right loop at each step.
    func ask(_ other: Asker) async -> [Bool] {
        var answers = [loop.isCurrent]
        for _ in 0..<100 {
            answers.append(await other.answer())
            answers.append(loop.isCurrent)
        }
        return answers
    }

    func answer() async -> Bool {
        await Task.yield()
        return loop.isCurrent && EventLoop.current === loop
    }
}

@Suite("Event loop")
struct EventLoopTests {
    @Test("an actor runs on its loop, also after waiting for an actor of another one")
    func actorsStay() async throws {
        try await withLoops(2) { loops in
            let (asker, other) = (Asker(loops[0]), Asker(loops[1]))
            #expect(await asker.ask(other) == Array(repeating: true, count: 201))
            #expect(!loops[0].isCurrent)
            #expect(EventLoop.current == nil)
        }
    }

    @Test("jobs run in the order in which one thread posted them, each once")
    func order() async throws {
        try await withLoop { loop in
            let seen = Locked<[[Int]]>(Array(repeating: [], count: 4))
            await withTaskGroup(of: Void.self) { group in
                for poster in 0..<4 {
                    group.addTask {
                        for number in 0..<5000 { loop.execute { seen.withLock { $0[poster].append(number) } } }
                    }
                }
            }
            try await wait(until: "all have run") { seen.withLock { $0.allSatisfy { $0.count == 5000 } } }
            #expect(seen.withLock { $0 } == Array(repeating: Array(0..<5000), count: 4))
        }
    }

    @Test("what is posted before the start runs after it, and what is queued runs before the end")
    func beforeAndAfter() async throws {
        let loop = try makeLoop()
        let log = Log()
        loop.execute { log.add("early") }
        loop.execute { loop.execute { log.add("late") } }
        loop.stop()
        loop.start()
        loop.join()
        #expect(log.all == ["early", "late"])
    }

    @Test("a turn is a pass, then the queued jobs and what they make ready, then the steps at its end")
    func turn() async throws {
        try await withLoop { loop in
            let log = Log()
            await OnLoop(loop).run { _ in
                loop.atEndOfTurn { if log.all.count < 3 { log.add("step") } }
                loop.execute { log.add("job") }
                loop.afterCallback { log.add("after callback") }
            }
            try await wait(until: "three things have happened") { log.all.count >= 3 }
            #expect(log.all == ["after callback", "job", "step"])
        }
    }

    @Test("a step on request runs once for the turn that asks, and again where it asks itself")
    func requestedStep() async throws {
        try await withLoop { loop in
            let log = Log()
            await OnLoop(loop).run { _ in
                var isAskedAgain = false
                nonisolated(unsafe) var step: TurnStep?
                step = loop.onRequestAtEndOfTurn {
                    log.add("step")
                    guard !isAskedAgain else { return }
                    isAskedAgain = true
                    step?.request()
                    loop.goOn()
                }
                loop.atEndOfTurn {
                    guard log.all.last != "turn" || log.all.count < 8 else { return }
                    log.add("turn")
                    loop.goOn()
                }
                step?.request()
            }
            try await wait(until: "some turns have ended") { log.all.count >= 8 }
            #expect(log.all.prefix(6) == ["step", "turn", "step", "turn", "turn", "turn"])
        }
    }

    @Test("a step that is asked for behind the steps of a turn does not wait until something happens")
    func lateRequest() async throws {
        try await withLoop { loop in
            let log = Log()
            await OnLoop(loop).run { _ in
                nonisolated(unsafe) var step: TurnStep?
                step = loop.onRequestAtEndOfTurn {
                    log.add("step")
                    guard log.all.count < 3 else { return }
                    loop.afterCallback { step?.request() }
                }
                step?.request()
            }
            // Asked from here the loop is not woken.
            try await wait(until: "it has run three times", limit: .seconds(20)) { log.all.count == 3 }
        }
    }

    @Test("who is about to wake a loop that has ended and gone writes to no descriptor of anybody else's")
    func lateWake() async throws {
        var loop: EventLoop? = try makeLoop()
        weak let left = loop
        let log = Log()
        loop?.start()
        try await wait(until: "it sleeps") { [loop] in loop?.shared.withLock(\.sleeping) == true }
        // As far as a thread has come that posts a job and is held up before it wakes the loop.
        var alarm = loop?.queue(.work { log.add("job") })
        let descriptor = try #require(alarm?.descriptor)
        loop?.execute {}
        loop?.stop()
        // A socket of its own may wake it.
        loop?.alarm.ring()
        loop?.join()
        loop = nil
        #expect(left == nil)
        #expect(log.all == ["job"])
        #expect(fcntl(descriptor, F_GETFD) >= 0)
        alarm?.ring()
        alarm = nil
        #expect(fcntl(descriptor, F_GETFD) < 0)
    }

    @Test("a step that has more to do has another turn, though nothing is ready")
    func goingOn() async throws {
        try await withLoop { loop in
            let log = Log()
            await OnLoop(loop).run { _ in
                loop.atEndOfTurn {
                    guard log.all.count < 5 else { return }
                    log.add("step")
                    loop.goOn()
                }
            }
            try await wait(until: "five turns have ended") { log.all.count == 5 }
        }
    }

    @Test("callbacks, jobs and steps take turns: what takes too long leaves the rest to the next ones")
    func longTurns() async throws {
        try await withLoop { loop in
            let log = Log()
            let actor = Burner(loop)
            try await actor.start(log)
            try await wait(until: "all timers have fired and all jobs have run") {
                log.all.count { $0 == "timer" || $0 == "job" } == 20
            }
            let all = log.all
            // No two callbacks and no two jobs in one turn: each alone takes longer than that. One of each there may be, or one
            // kind could starve the other.
            for (one, next) in zip(all, all.dropFirst()) { #expect(one == "end" || one != next) }
            #expect(all.count { $0 == "timer" } == 10)
            await actor.stop()
        }
    }

    @Test("the clocks stand still within a turn and are right")
    func clocks() async throws {
        try await withLoop { loop in
            let actor = OnLoop(loop)
            let (before, wallBefore) = (ContinuousClock.now, Int64(time(nil)) * 1000)
            let first = await actor.run { _ in (loop.monotonicNow, loop.wallClockMilliseconds) }
            usleep(5000)
            let second = await actor.run { _ in
                let begin = (loop.monotonicNow, loop.wallClockMilliseconds)
                usleep(3000)
                #expect(loop.turnExceeded)
                #expect(begin == (loop.monotonicNow, loop.wallClockMilliseconds))
                return begin
            }
            let passed = ContinuousClock.now - before
            #expect(second.0 - first.0 >= 5_000_000)
            #expect(Duration.nanoseconds(second.0 - first.0) <= passed)
            #expect(first.1 >= wallBefore && second.1 >= first.1 && second.1 < Int64(time(nil) + 1) * 1000)
        }
    }

    @Test("many jobs from many threads, to loops that sleep and wake")
    func wakes() async throws {
        try await withLoops(2) { loops in
            let (a, b) = (Asker(loops[0]), Asker(loops[1]))
            for _ in 0..<20 {
                async let one = a.ask(b)
                async let two = b.ask(a)
                #expect(await one.allSatisfy { $0 })
                #expect(await two.allSatisfy { $0 })
            }
        }
    }

    @Test("entering an actor of another loop traps")
    func isolationIsChecked() async {
        await #expect(processExitsWith: .failure) {
            let loops = try (0..<2).map { try makeLoop("test \($0)") }
            for loop in loops { loop.start() }
            let stranger = OnLoop(loops[1])
            let done = Locked(false)
            loops[0].execute {
                stranger.assumeIsolated { _ in done.withLock { $0 = true } }
            }
            while !done.withLock({ $0 }) { usleep(1000) }
        }
        await #expect(processExitsWith: .success) {
            let loop = try makeLoop()
            loop.start()
            let own = OnLoop(loop)
            let done = Locked(false)
            loop.execute { own.assumeIsolated { _ in done.withLock { $0 = true } } }
            while !done.withLock({ $0 }) { usleep(1000) }
        }
    }

    @Test("touching what belongs to a loop from another thread traps")
    func ownershipIsChecked() async {
        await #expect(processExitsWith: .failure) {
            let loop = try makeLoop()
            loop.start()
            while !(await OnLoop(loop).run { _ in loop.isCurrent }) {}
            let timer = try Timer(on: loop, after: .seconds(1)) {}
            withExtendedLifetime(timer) {}
        }
    }
}

/// Ten timers due at once and ten jobs, each longer than a turn.
private actor Burner {
    let loop: EventLoop
    nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }
    private var timers: [Timer] = []
    init(_ loop: EventLoop) { self.loop = loop }

    func start(_ log: Log) throws {
        loop.atEndOfTurn { log.add("end") }
        for _ in 0..<10 {
            timers.append(
                try Timer(on: loop, after: .zero) {
                    usleep(2500)
                    log.add("timer")
                })
        }
        for _ in 0..<10 {
            loop.execute {
                usleep(2500)
                log.add("job")
            }
        }
    }

    func stop() { timers.removeAll() }
}
