internal import Base
internal import Libevent

/// Wakes whoever waits on a loop, early. Rung while nobody waits it is heard by who comes next. Waiting is on its loop; ringing
/// is for any thread.
final class Bell: Sendable {
    private struct State {
        var isRung = false
        var waiters: [Int: UnsafeContinuation<Void, Never>] = [:]
        var next = 0
    }

    private let loop: EventLoop
    private let state = Locked(State())

    init(on loop: EventLoop) { self.loop = loop }

    /// From any thread.
    func ring() {
        let waiters = state.withLock { state in
            state.isRung = state.waiters.isEmpty
            defer { state.waiters = [:] }
            return state.waiters
        }
        for waiter in waiters.values { waiter.resume() }
    }

    /// Until it is rung, or the time is over.
    func wait(atMost time: Duration) async {
        let number = state.withLock { state in
            state.next += 1
            return state.next
        }
        // Without a timer it waits for the bell alone.
        let timer = try? Timer(on: loop, after: time) { [self] in end(number) }
        await withUnsafeContinuation { continuation in
            let isRung = state.withLock { state in
                defer { state.isRung = false }
                if !state.isRung { state.waiters[number] = continuation }
                return state.isRung
            }
            if isRung { continuation.resume() }
        }
        timer?.cancel()
    }

    private func end(_ number: Int) { state.withLock { $0.waiters.removeValue(forKey: number) }?.resume() }
}
