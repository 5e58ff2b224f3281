internal import Postgres
internal import Push
internal import StoreCore

// What devices tell of tasks themselves: many of them in one call, each counted once.

/// Receipts that wait for their results.
struct PendingReceipts: Sendable {
    let receipts: [Receipt]
    let answer: @Sendable (Result<[ReceiptResult], StoreError>) -> Void
}

extension StoreNode {
    /// How many tellers go in one call.
    private static let most = 256

    /// One thing that a device can tell of a task.
    private struct Told: Hashable {
        let seq: UInt64
        let event: ReceiptEvent
        let ordinal: UInt32
    }

    func commit(_ pending: PendingReceipts) {
        guard !isClosing, number != 0 else { return pending.answer(.failure(.unavailable(retryAfter: retryAfter))) }
        if receipts.add(pending) { work { await $0.commitAll() } }
    }

    private func commitAll() async {
        while case let batch = receipts.next(atMost: Self.most), !batch.isEmpty {
            do throws(StoreError) {
                let results = try await commit(batch.flatMap(\.receipts))
                var rest = results[...]
                for pending in batch {
                    pending.answer(.success(Array(rest.prefix(pending.receipts.count))))
                    rest = rest.dropFirst(pending.receipts.count)
                }
            } catch {
                for pending in batch { pending.answer(.failure(error)) }
            }
        }
    }

    private func commit(_ receipts: [Receipt]) async throws(StoreError) -> [ReceiptResult] {
        let told = receipts.map { receipt in
            directory.tasks.position(of: receipt.task).map {
                Told(seq: $0, event: receipt.event, ordinal: receipt.device.ordinal)
            }
        }
        let allowed = try await allowed(Array(Set(told.compactMap { $0 })))
        var results = told.map { $0.map(allowed.contains) ?? false ? ReceiptResult.known : .refused }
        // The first of several that tell the same is the one that counts.
        var first: [Told: Int] = [:]
        for (index, told) in told.enumerated() {
            if let told, allowed.contains(told), first[told] == nil { first[told] = index }
        }
        let new = first.values.sorted()
        guard !new.isEmpty else { return results }
        var arguments = PostgresArguments()
        arguments.append(each: new, int8: { index in told[index].map { Int64(bitPattern: $0.seq) } })
        arguments.append(each: new, int4: { Int32(receipts[$0].event.number) })
        arguments.append(each: new, int8: { Int64(receipts[$0].device.ordinal) })
        arguments.append(each: new, text: { receipts[$0].detail })
        let rows = try await ask(own, Statements.tell, arguments)
        for row in 0..<rows.count {
            guard let number = (try? rows.int4(row, 0)) ?? nil else { throw .unknown }
            results[new[Int(number) - 1]] = .counted
        }
        return results
    }

    /// Those that may be told: the task addressed the device when it was accepted, or the device has joined it.
    private func allowed(_ told: [Told]) async throws(StoreError) -> Set<Told> {
        guard !told.isEmpty else { return [] }
        var arguments = PostgresArguments()
        arguments.append(each: told, int8: { Int64(bitPattern: $0.seq) })
        arguments.append(each: told, int8: { Int64($0.ordinal) })
        let rows = try await ask(reads, Statements.addressed, arguments)
        // Where organisations were is known up to there.
        let last = (0..<rows.count).compactMap { row in (try? rows.int8(row, 17)) ?? nil }.max()
        try await untilFollowed(last ?? 0)
        do throws(PostgresShapeError) {
            var allowed: Set<Told> = []
            for row in 0..<rows.count {
                let one = told[Int(try rows.present4(row, 16)) - 1]
                if try isAddressed(rows, row) { allowed.insert(one) }
            }
            return allowed
        } catch {
            options.log("what devices have told cannot be judged: \(error)")
            throw .unavailable(retryAfter: retryAfter)
        }
    }

    /// A row of `addressed_1`.
    private func isAddressed(_ rows: PostgresRows, _ row: Int) throws(PostgresShapeError) -> Bool {
        let history = try MembershipHistory(rows, row)
        let task = StoredRow(
            seq: try rows.position(row, 17), kind: StoredRow.Kind(rawValue: Int64(try rows.present4(row, 18))) ?? .message,
            target: TargetKey(raw: try rows.present8(row, 19)), flags: Int64(try rows.present4(row, 20)),
            within: try rows.int4(row, 21).map { UInt32(bitPattern: $0) })
        // An iOS device for which it was too large was counted, but not addressed.
        if task.audience.leavesOut(history.platform) { return false }
        if let bytes = try rows.bytea(row, 22), let joined = OrdinalSet(serialized: bytes),
            joined.contains(UInt16(truncatingIfNeeded: history.ordinal))
        {
            return true
        }
        return history.wasAddressed(by: task) { isBelow($0.index, $1.index, at: task.seq) }
    }
}
