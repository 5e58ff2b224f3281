internal import Base
internal import Push
internal import StoreCore

/// One loop's port of a shared store. Calls are made on the loop; answers come back to it.
final class NodePort: Sendable {
    private let node: StoreNode
    private let mailbox: any Mailbox
    /// Its number at the node, once it has it.
    private let loop: Locked<Int>

    init(_ node: StoreNode, _ mailbox: any Mailbox) {
        self.node = node
        self.mailbox = mailbox
        loop = Locked(0)
        let loop = loop
        node.enter { node in
            let number = node.loops
            loop.withLock { $0 = number }
            node.outbox.join(mailbox)
            node.loops += 1
        }
    }

    var clock: StoreClock { node.clock }
    var lease: Lease { node.lease }

    func subscribe(_ deliver: @escaping @Sendable (FeedEvent) -> Void) async -> DirectorySnapshot {
        let loop = loop
        return await withAnswer { (answer: AnswerContinuation<DirectorySnapshot>) in
            node.enter { node in
                let number = loop.withLock { $0 }
                node.outbox.subscribe(number, deliver)
                let snapshot = node.directory.snapshot(at: node.head, of: node.lease.lastTerm)
                node.outbox.answer(number, { answer.resume(returning: snapshot) })
                node.sendAnswers()
            }
        }
    }

    func append(_ request: PushRequest, answer: @escaping @Sendable (Accepted) -> Void) {
        let loop = loop
        node.enter { $0.append(PendingPush(request: request, loop: loop.withLock { $0 }, answer: answer)) }
    }

    func attach(
        _ token: DeviceToken, secret: [UInt8], certificate: CertificateFingerprint?, session: SessionID
    ) async throws(AttachError) -> Attached {
        let loop = loop
        let outcome = await withAnswer { (answer: AnswerContinuation<Result<Attached, AttachError>>) in
            node.enter {
                $0.attach(
                    Attachment(
                        loop: loop.withLock { $0 }, token: token, secret: secret, certificate: certificate, session: session
                    ) { answer.resume(returning: $0) })
            }
        }
        return try outcome.get()
    }

    func detach(_ device: DeviceHandle, session: SessionID, settledUpTo: Position) {
        node.enter { $0.detach(Detachment(ordinal: device.ordinal, session: session, settledUpTo: settledUpTo.raw)) }
    }

    @discardableResult
    func settle(_ deliveries: [Delivery]) -> Bool {
        if !deliveries.isEmpty { node.enter { $0.settle(deliveries) } }
        return node.gate.isOpen
    }

    func pending(for device: DeviceHandle, after: Position, limit: Int) async throws(StoreError) -> Pending {
        let loop = loop
        let outcome = await withAnswer { (answer: AnswerContinuation<Result<Pending, StoreError>>) in
            node.enter {
                $0.page(
                    PageRequest(ordinal: device.ordinal, after: after.raw, limit: limit, loop: loop.withLock { $0 }) {
                        answer.resume(returning: $0)
                    })
            }
        }
        return try outcome.get()
    }

    func apply(_ change: DirectoryChange) async throws(StoreError) -> ChangeResult {
        try await ask { node throws(StoreError) in try await node.apply(change) }
    }

    func report(_ task: TaskID, to app: AppKey?) async throws(StoreError) -> TaskReport {
        try await ask { node throws(StoreError) in try await node.report(task, to: app) }
    }

    func cancel(_ task: TaskID, by app: AppKey?) async throws(StoreError) -> TaskStatus {
        try await ask { node throws(StoreError) in try await node.cancel(task, by: app) }
    }

    /// Has the node do something, and waits for it on the port's own loop.
    private func ask<Value: Sendable>(
        _ body: @escaping @Sendable (isolated StoreNode) async throws(StoreError) -> Value
    ) async throws(StoreError) -> Value {
        let loop = loop
        let outcome = await withAnswer { (answer: AnswerContinuation<Result<Value, StoreError>>) in
            node.enter { node in
                node.work { node in
                    let outcome: Result<Value, StoreError>
                    do throws(StoreError) { outcome = .success(try await body(node)) } catch { outcome = .failure(error) }
                    node.outbox.answer(loop.withLock { $0 }, { answer.resume(returning: outcome) })
                    node.sendAnswers()
                }
            }
        }
        return try outcome.get()
    }
}
