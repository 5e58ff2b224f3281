import Base
import Libevent
import Push
import Testing

@testable import PushAPI

/// Where a request's task runs. Leaving the loop for the global pool and coming back wakes two threads for each answer: ten times
/// what the rest of it costs.
@Suite("The executor of a request")
struct ExecutorTests {
    @Test("a push is handed to the store on its loop, by no task but the one that runs the loop")
    func needsNoTask() async throws {
        let tasks = Locked<[Int?]>([])
        @Sendable func noteTask() {
            let task = withUnsafeCurrentTask { $0?.hashValue }
            tasks.withLock { $0.append(task) }
        }
        var script = FakeStore.Script()
        script.onAppend = {
            noteTask()
            EventLoop.current?.execute { noteTask() }
        }
        try await Served.with(script) { served in
            expectSuccess(try served.send(.push()))
            try await until { tasks.withLock { $0.count } == 2 }
        }
        let (push, loop) = tasks.withLock { ($0[0], $0[1]) }
        #expect(push == loop)
    }

    @Test("a call that waits for the store prefers its loop, and the store's answer resumes it there, past no other thread")
    func staysOnTheLoop() async throws {
        let order = Locked<[String]>([])
        @Sendable func note(_ text: String) { order.withLock { $0.append(text) } }
        var script = FakeStore.Script()
        script.cancel = { _, _ throws(StoreError) in
            guard let loop = EventLoop.current else { throw .unknown }
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
            return .cancelled
        }
        try await Served.with(script) { served in
            expectSuccess(try served.send(.push("", to: "/psp/push/task/t-1/cancel")), status: 202)
            try await until { order.withLock { $0.count } == 3 }
        }
        #expect(order.withLock { $0 } == ["prefers the loop", "went on", "the next job"])
    }
}
