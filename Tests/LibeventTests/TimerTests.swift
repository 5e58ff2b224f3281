import Glibc
import Libevent
import Testing

private actor TimerOwner {
    let loop: EventLoop
    nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }
    private(set) var calls: [Int64] = []
    private var timer: Timer?
    init(_ loop: EventLoop) { self.loop = loop }

    func start(after delay: Duration, every period: Duration? = nil) throws {
        timer = try Timer(on: loop, after: delay, every: period) { [unowned self] in calls.append(loop.monotonicNow) }
    }
    func cancel() { timer?.cancel() }
    func restart(after delay: Duration) { timer?.restart(after: delay) }
    func drop() { timer = nil }
    func dropInside() throws {
        timer = try Timer(on: loop, after: .zero, every: .zero) { [unowned self] in
            calls.append(0)
            timer = nil
        }
    }
    /// Gives the only timer away, to be let go elsewhere.
    func lend(_ body: sending () -> Void) throws -> Lent {
        Lent(try Timer(on: loop, after: .milliseconds(1), every: .milliseconds(1)) { [unowned self] in calls.append(1) })
    }
}

/// Safe: the test hands it over whole and keeps none.
private final class Lent: @unchecked Sendable {
    private let timer: Timer
    init(_ timer: Timer) { self.timer = timer }
}

@Suite("Timers")
struct TimerTests {
    @Test("a timer calls once, not before its time")
    func once() async throws {
        try await withLoop { loop in
            let owner = TimerOwner(loop)
            let begin = await OnLoop(loop).run { _ in loop.monotonicNow }
            try await owner.start(after: .milliseconds(30))
            try await wait(until: "it called") { await !owner.calls.isEmpty }
            usleep(50_000)
            let calls = await owner.calls
            #expect(calls.count == 1)
            // libevent's clock is the coarse one: up to 4 ms behind.
            #expect(calls[0] - begin >= 25_000_000)
            await owner.drop()
        }
    }

    @Test("a repeating timer goes on until it is cancelled, and can start anew")
    func repeating() async throws {
        try await withLoop { loop in
            let owner = TimerOwner(loop)
            try await owner.start(after: .milliseconds(1), every: .milliseconds(5))
            try await wait(until: "it called five times") { await owner.calls.count >= 5 }
            await owner.cancel()
            let count = await owner.calls.count
            usleep(30_000)
            #expect(await owner.calls.count == count)
            await owner.restart(after: .milliseconds(1))
            try await wait(until: "it calls again") { await owner.calls.count >= count + 3 }
            await owner.drop()
        }
    }

    @Test("a timer that is let go does not call any more, wherever that happens")
    func letGo() async throws {
        try await withLoop { loop in
            let owner = TimerOwner(loop)
            try await owner.start(after: .milliseconds(20))
            await owner.drop()
            try await owner.dropInside()
            for _ in 0..<20 {
                let lent = try await owner.lend {}
                try await wait(until: "it calls") { await owner.calls.contains(1) }
                withExtendedLifetime(lent) {}
            }
            try await wait(until: "the one has dropped itself") { await owner.calls.contains(0) }
            usleep(40_000)
            let calls = await owner.calls
            #expect(calls.count { $0 == 0 } == 1)
            usleep(20_000)
            #expect(await owner.calls == calls)
        }
    }
}
