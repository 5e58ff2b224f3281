internal import Push
internal import StoreCore

// What the gateway asks.

extension NodePort {
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

    func commit(_ receipts: [Receipt]) async throws(StoreError) -> [ReceiptResult] {
        try await answered { node, answer in node.commit(PendingReceipts(receipts: receipts, answer: answer)) }
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
}
