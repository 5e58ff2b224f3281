import Libevent
import Push
import Testing

@testable import PushAPI

/// Where a request's task runs. Leaving the loop for the global pool and coming back wakes two threads for each answer: ten times what the rest of it costs.
@Suite("The executor of a request")
struct ExecutorTests {
    @Test("a push that waits for the store prefers its loop, and the store's answer resumes it there, past no other thread")
    func staysOnTheLoop() async throws {
        let order = Locked<[String]>([])
        @Sendable func note(_ text: String) { order.withLock { $0.append(text) } }
        var script = FakeStore.Script()
        script.append = { _ in
            guard let loop = EventLoop.current else { return .unknown }
            let prefersLoop = withUnsafeCurrentTask { $0?.unownedTaskExecutor == loop.asUnownedTaskExecutor() }
            note(prefersLoop ? "prefers the loop" : "prefers another executor")
            await withUnsafeContinuation { (continuation: UnsafeContinuation<Void, Never>) in
                // As the store's writer does it: another thread posts one job, which resumes whoever waits on this loop.
                Task.detached {
                    loop.execute {
                        continuation.resume()
                        // A task that took the way of the pool would come behind this.
                        loop.execute { note("the next job") }
                    }
                }
            }
            note(EventLoop.current === loop ? "went on" : "went on elsewhere")
            return .stored(TaskID("t-1"))
        }
        try await Served.with(script) { served in
            expectSuccess(try served.send(.push()))
            try await until { order.withLock { $0.count } == 3 }
        }
        #expect(order.withLock { $0 } == ["prefers the loop", "went on", "the next job"])
    }
}
