internal import Push
internal import StoreCore

// What the gateway calls.

extension LoopPort {
    func attach(
        _ token: DeviceToken, secret: [UInt8], certificate: CertificateFingerprint?, session: SessionID
    ) async throws(AttachError) -> Attached {
        let loop = loop
        let outcome = await withAnswer { (continuation: AnswerContinuation<Result<Attached, AttachError>>) in
            let attachment = SessionRegistry.Attachment(
                loop: loop, token: token, secret: secret, certificate: certificate, session: session
            ) {
                continuation.resume(returning: $0)
            }
            store.writer.submit(
                Job(
                    loop: loop, kind: .session,
                    decide: { decisions, _ throws(SQLiteError) in try decisions.connections.attach(attachment) },
                    fail: { _ in { attachment.answer(.failure(.unavailable)) } }))
        }
        return try outcome.get()
    }

    func detach(_ device: DeviceHandle, session: SessionID, settledUpTo: Position) {
        tell(.fact) { decisions, _ throws(SQLiteError) in try decisions.facts.settle(device.ordinal, upTo: settledUpTo.raw) }
        tell(.session) { decisions, _ throws(SQLiteError) in
            try decisions.connections.detach(device.ordinal, session: session)
        }
    }

    /// Acknowledgements of one job: a transaction takes as many jobs as it can write at a time.
    private static let factsOfJob = 512

    @discardableResult
    func settle(_ deliveries: [Delivery]) -> Bool {
        if deliveries.count > Self.factsOfJob {
            for first in stride(from: 0, to: deliveries.count, by: Self.factsOfJob) {
                settle(Array(deliveries[first..<min(first + Self.factsOfJob, deliveries.count)]))
            }
        } else if !deliveries.isEmpty {
            tell(.fact) { decisions, now throws(SQLiteError) in try decisions.facts.settle(deliveries, at: now) }
        }
        return store.gate.isOpen
    }

    func pending(for device: DeviceHandle, after: Position, limit: Int) async throws(StoreError) -> Pending {
        let pending = try await read(store.pages) { context throws(SQLiteError) in
            try context.reading { view throws(SQLiteError) -> Pending? in
                let query = PendingQuery(tables: context.tables, view: view, now: context.clock(), moment: context.moment)
                guard let found = try query.rows(for: device.ordinal, after: after.raw, limit: limit) else { return nil }
                var rows: [Row] = []
                rows.reserveCapacity(found.rows.count)
                for (seq, target, row) in found.rows { rows.append(try context.delivered(row, at: seq, to: target)) }
                let position = Position(raw: found.lookedUpTo)
                return Pending(
                    rows: rows, lookedUpTo: position, membership: found.history.membership(after: found.lookedUpTo),
                    membershipAt: position)
            }
        }
        guard let pending else { throw .refused(Refusal(.noSuchDevice)) }
        return pending
    }

    func commit(_ receipts: [Receipt]) async throws(StoreError) -> [ReceiptResult] {
        try await change(flushes: true) { decisions, _ throws(SQLiteError) in
            var results: [ReceiptResult] = []
            for receipt in receipts { results.append(try decisions.events.commit(receipt)) }
            return .success(results)
        }
    }
}
