internal import Base
internal import Push
internal import StoreCore

/// One loop's port of a shared store. Calls are made on the loop; answers come back to it.
final class NodePort: StorePort {
    let node: StoreNode
    /// What is asked after the store's end is answered, too.
    private let thread: StoreThread
    /// Its number at the node, once it has it.
    let loop: Locked<Int>

    init(_ node: StoreNode, on thread: StoreThread, _ mailbox: any Mailbox) {
        self.node = node
        self.thread = thread
        loop = Locked(0)
        let loop = loop
        node.enter { node in
            let number = node.loops
            loop.withLock { $0 = number }
            node.outbox.join(mailbox)
            node.loops += 1
        }
    }

    var health: Health { node.health }
    var clock: StoreClock { node.clock }
    var lease: Lease { node.lease }

    func subscribe(_ deliver: @escaping @Sendable (FeedEvent) -> Void) async throws(StoreError) -> DirectorySnapshot {
        let loop = loop
        return try await answered { node, answer in
            guard node.isServing else { return answer(.failure(.unavailable(retryAfter: retryAfter))) }
            node.outbox.subscribe(loop.withLock { $0 }, deliver)
            answer(.success(node.directory.snapshot(at: node.head, of: node.lease.lastTerm)))
        }
    }

    // MARK: Asking the node

    /// Has the node do something, and waits for it on the port's own loop.
    func ask<Value: Sendable>(
        _ body: @escaping @Sendable (isolated StoreNode) async throws(StoreError) -> Value
    ) async throws(StoreError) -> Value {
        try await answered { node, answer in
            node.work { node in
                let outcome: Result<Value, StoreError>
                do throws(StoreError) { outcome = .success(try await body(node)) } catch { outcome = .failure(error) }
                answer(outcome)
            }
        }
    }

    /// Has the node begin something, and waits for its answer on the port's own loop.
    func answered<Value: Sendable>(
        _ body:
            @escaping @Sendable (isolated StoreNode, _ answer: @escaping @Sendable (Result<Value, StoreError>) -> Void) -> Void
    ) async throws(StoreError) -> Value {
        let loop = loop
        let node = node
        let outcome = await withAnswer { (continuation: AnswerContinuation<Result<Value, StoreError>>) in
            node.enter { isolated in
                body(isolated) { outcome in
                    node.assumeIsolated { node in
                        node.outbox.answer(loop.withLock { $0 }, { continuation.resume(returning: outcome) })
                        node.sendAnswers()
                    }
                }
            }
        }
        return try outcome.get()
    }
}
