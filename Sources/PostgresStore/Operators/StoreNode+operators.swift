internal import Postgres
internal import Push
internal import StoreCore

// Operators and their sessions: decided and written as changes of the directory are. Whoever judges a session knows of its end,
// on every node, when the call returns.

extension StoreNode {
    func apply(_ change: OperatorChange, by call: OperatorCall) async throws(StoreError) -> ChangeResult {
        let entry = AuditEntry(call, change.action, change.target ?? change.action.ownTarget(of: call))
        let (result, position) = try await decidedInTurn(entry) { node, version throws(StoreError) in
            try await node.write(change, by: call, entry, version)
        }
        try await untilApplied(position)
        return result
    }

    private func write(
        _ change: OperatorChange, by call: OperatorCall, _ entry: AuditEntry, _ version: Int64
    ) async throws(StoreError) -> (ChangeResult, position: UInt64)? {
        let book = directory.operators
        let writes: OperatorWrites
        do throws(Refusal) {
            try book.permit(change, to: call.number)
            let tree = directory.tree
            // The database gives numbers, and tells when a new one was made.
            writes = try book.decide(
                change,
                .init(
                    caller: call.number, now: clock.now, timeOfDay: 0, nextNumber: .unknown,
                    isOrganisation: { tree[$0] != nil }))
        } catch {
            throw .refused(error)
        }
        var entry = entry
        if case .put(let name, _) = change, let present = writes.written {
            entry.details = AuditDetail.differences(from: book[name]?.audited, to: present.audited)
        }
        // What was recorded before comes before it.
        await writeAudit()
        let line = AuditLine(of: entry, at: options.node)
        let rows = try await askTimely(lane, Statements.changeOperators) { writes.append(to: &$0, expecting: version, [line]) }
        guard let now = (try? rows.int8(0, 1)) ?? nil else { throw .unknown }
        directory.version = max(directory.version, now)
        bell.ring()
        guard let head = (try? rows.int8(0, 0)) ?? nil else { return nil }
        return (writes.result, UInt64(bitPattern: head))
    }

    /// Ends sessions whose time is over.
    func endExpiredSessions() async {
        guard !directory.operators.expiredSessions(at: clock.now, limit: 1).isEmpty else { return }
        _ = await timely(lane, Statements.endExpiredSessions) { $0.append(int4: 100) }
        bell.ring()
    }
}
