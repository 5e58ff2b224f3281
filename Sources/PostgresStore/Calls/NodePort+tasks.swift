internal import Push
internal import StoreCore

// What callers push, and ask of what they pushed.

extension NodePort {
    func append(_ request: PushRequest, answer: @escaping @Sendable (Accepted) -> Void) {
        let loop = loop
        node.enter { $0.append(PendingPush(request: request, loop: loop.withLock { $0 }, answer: answer)) }
    }

    func cancel(_ task: TaskID, by app: AppKey, nonce: UsedNonce?) async throws(StoreError) -> TaskStatus {
        try await ask { node throws(StoreError) in
            if let nonce { try await node.cancel(task, by: app, nonce) } else { try await node.cancel(task, by: app) }
        }
    }

    func cancel(_ task: TaskID, by call: OperatorCall) async throws(StoreError) -> TaskStatus {
        try await ask { node throws(StoreError) in try await node.cancel(task, by: call) }
    }
}
