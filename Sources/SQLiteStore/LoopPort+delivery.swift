internal import Push

extension LoopPort {
    func attach(_ token: DeviceToken, secret: [UInt8], session: SessionID) async throws(AttachError) -> Attached {
        let loop = loop
        let outcome = await withAnswer { (continuation: AnswerContinuation<Result<Attached, AttachError>>) in
            let attachment = SessionRegistry.Attachment(loop: loop, token: token, secret: secret, session: session) {
                continuation.resume(returning: $0)
            }
            store.writer.submit(
                Job(
                    loop: loop, isAboutSessions: true, decide: { ledger throws(SQLiteError) in try ledger.attach(attachment) },
                    fail: { _ in { attachment.answer(.failure(.unavailable)) } }))
        }
        return try outcome.get()
    }

    func detach(_ device: DeviceHandle, session: SessionID, settledUpTo: Position) {
        tell { ledger throws(SQLiteError) in try ledger.settle(device.ordinal, upTo: settledUpTo.raw) }
        tell(isAboutSessions: true) { ledger throws(SQLiteError) in try ledger.detach(device.ordinal, session: session) }
    }

    func settle(_ deliveries: [Delivery]) {
        guard !deliveries.isEmpty else { return }
        tell { ledger throws(SQLiteError) in for delivery in deliveries { try ledger.settle(delivery) } }
    }

    func pending(for device: DeviceHandle, after: Position, limit: Int) async throws(StoreError) -> Pending {
        let pending = try await read(store.pages) { context throws(SQLiteError) in
            try context.reading { view throws(SQLiteError) -> Pending? in
                let query = PendingQuery(
                    database: context.database, view: view, now: context.clock(), moment: context.moment)
                guard let found = try query.rows(for: device.ordinal, after: after.raw, limit: limit) else { return nil }
                var rows: [Row] = []
                rows.reserveCapacity(found.rows.count)
                for (seq, target, row) in found.rows {
                    rows.append(try context.delivered(row, at: seq, to: target))
                }
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
        try await change(flushes: true) { ledger throws(SQLiteError) in
            var results: [ReceiptResult] = []
            for receipt in receipts { results.append(try ledger.commit(receipt)) }
            return .success(results)
        }
    }

    /// Tells the writer something that nobody waits for. If the transaction fails it is told again from memory.
    private func tell(
        isAboutSessions: Bool = false, _ body: @escaping @Sendable (Ledger) throws(SQLiteError) -> Void
    ) {
        store.writer.submit(
            Job(
                loop: loop, isAboutSessions: isAboutSessions, isFact: !isAboutSessions,
                decide: { ledger throws(SQLiteError) in
                    try body(ledger)
                    return nil
                }, fail: { _ in nil }))
    }
}
