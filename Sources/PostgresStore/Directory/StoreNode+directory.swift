internal import Base
internal import Crypto
internal import Postgres
internal import Push
internal import StoreCore

// Changes of the directory: decided here by what this node knows, written if that is still so, and told when every node has
// applied them.

/// Something that waits for its turn, since it is judged by the directory: one after the other, as each is decided by what the
/// one before has left.
struct PendingChange: Sendable {
    let decide: @Sendable (isolated StoreNode) async -> Void
}

extension StoreNode {
    func apply(_ change: DirectoryChange, by call: OperatorCall) async throws(StoreError) -> ChangeResult {
        let entry = AuditEntry(call, change.action, change.target)
        let (result, position) = try await decidedInTurn(entry) { node, version throws(StoreError) in
            try await node.write(change, by: call, entry, version)
        }
        // Others may go on meanwhile.
        try await untilApplied(position)
        return result
    }

    /// - Returns: what it did, and the position that every node has to apply. Where it changes nothing that is what was there
    ///   before: who repeats a call that was answered by nobody is told when it holds. `nil` where the directory is of another
    ///   version by now.
    private func write(
        _ change: DirectoryChange, by call: OperatorCall, _ entry: AuditEntry, _ version: Int64
    ) async throws(StoreError) -> (ChangeResult, position: UInt64)? {
        let findings = try await find(for: [change], by: call.number, namingUsers: true)
        var decider = DirectoryDecider(directory, findings, by: call.number)
        let result: ChangeResult
        do throws(Refusal) {
            result = try decider.decide(change)
        } catch {
            try await untilAtStandby()
            throw .refused(error)
        }
        var entry = entry
        entry.details = decider.details(of: change)
        guard decider.writes.positions > 0 else {
            try requireLease()
            try await untilAtStandby()
            await recordNow(entry)
            return (result, UInt64(bitPattern: version))
        }
        // What was recorded before comes before it.
        await writeAudit()
        guard case .done(let position, _) = try await write(decider.writes, [AuditLine(of: entry, at: options.node)], version)
        else { return nil }
        return (result, position)
    }

    /// What came of a change that was decided.
    enum WrittenChange {
        /// With what follows from it: every node has to apply that position. The call kept others from the lane for so many
        /// microseconds.
        case done(upTo: UInt64, held: Int64)
        /// The directory is of another version by now, or what follows from another change comes first: decided anew.
        case notYet
        /// Another node goes on with the import.
        case lost
    }

    /// Writes what was decided by a version of the directory, and does what follows from it.
    func write(
        _ writes: DirectoryWrites, _ entries: [AuditLine], _ version: Int64, _ progress: ImportProgress? = nil
    ) async throws(StoreError) -> WrittenChange {
        let rows = try await askTimely(lane, Statements.changeDirectory) {
            writes.append(to: &$0, expecting: version, entries, progress)
        }
        guard let now = (try? rows.int8(0, 1)) ?? nil, let hasJobs = (try? rows.bool(0, 2)) ?? nil else { throw .unknown }
        if now < 0 { return .lost }
        directory.version = now
        bell.ring()
        guard let head = (try? rows.int8(0, 0)) ?? nil else {
            if hasJobs { try await untilFollowedUp() }
            return .notYet
        }
        var position = UInt64(bitPattern: head)
        if hasJobs {
            // It stands there by now, whatever becomes of what follows from it.
            do throws(StoreError) { position = max(position, try await followUp()) } catch { throw .unknown }
        }
        return .done(upTo: position, held: ((try? rows.int8(0, 3)) ?? nil) ?? 0)
    }

    /// What is written is written only where this node knows the directory as it is. What is answered without writing is
    /// answered by what it knows, which without a lease others may have changed.
    private func requireLease() throws(StoreError) {
        guard number != 0, lease.term() != nil else { throw .unavailable(retryAfter: retryAfter) }
    }

    /// A hint for operators that nobody waits for: where it cannot be written it is lost.
    func secretUsed(_ secret: String, by app: AppKey, on day: Int64) async {
        _ = try? await inTurn { node throws(StoreError) in
            try await node.decided { version throws(StoreError) -> Void? in
                var decider = DirectoryDecider(node.directory, DirectoryFindings(), by: nil)
                decider.note(use: secret, by: app, on: day)
                guard decider.writes.positions > 0 else { return () }
                if case .done = try await node.write(decider.writes, [], version) { return () }
                return nil
            }
        }
    }

    // MARK: By a version of the directory

    /// Decides in its turn what an operator asks for, by the directory as it is then; a refusal is recorded.
    /// - Parameter attempt: by that version; `nil` where it is another one by now.
    func decidedInTurn<Value: Sendable>(
        _ entry: AuditEntry, of seq: UInt64? = nil,
        _ attempt: @escaping @Sendable (isolated StoreNode, _ version: Int64) async throws(StoreError) -> Value?
    ) async throws(StoreError) -> Value {
        do throws(StoreError) {
            return try await inTurn { node throws(StoreError) in
                try await node.decided { version throws(StoreError) in try await attempt(node, version) }
            }
        } catch {
            if case .refused(let refusal) = error { await recordRefused(entry, refusal.code, of: seq) }
            throw error
        }
    }

    /// Waits for its turn.
    func inTurn<Value: Sendable>(
        _ body: @escaping @Sendable (isolated StoreNode) async throws(StoreError) -> Value
    ) async throws(StoreError) -> Value {
        let outcome = await withAnswer { (answer: AnswerContinuation<Result<Value, StoreError>>) in
            let change = PendingChange { node in
                let outcome: Result<Value, StoreError>
                do throws(StoreError) { outcome = .success(try await body(node)) } catch { outcome = .failure(error) }
                answer.resume(returning: outcome)
            }
            if changes.add(change) { work { await $0.decideAll() } }
        }
        return try outcome.get()
    }

    private func decideAll() async { while let next = changes.next(atMost: 1).first { await next.decide(self) } }

    /// Decides something by the directory, anew as long as another node is faster.
    /// - Parameter attempt: by that version; `nil` where it is another one by now.
    func decided<Value>(
        _ attempt: (_ version: Int64) async throws(StoreError) -> Value?
    ) async throws(StoreError) -> Value {
        while !isClosing {
            guard number != 0 else { break }
            try await untilFollowed(directory.version)
            let version = directory.version
            do throws(StoreError) {
                if let value = try await attempt(version) { return value }
            } catch {
                if case .refused = error { try requireLease() }
                throw error
            }
            if directory.version == version { try await learnVersion() }
        }
        throw .unavailable(retryAfter: retryAfter)
    }

    /// Which version it is, where the answer of a call did not tell.
    private func learnVersion() async throws(StoreError) {
        let rows = try await ask(reads, Statements.directoryVersion, PostgresArguments())
        if let now = (try? rows.int8(0, 0)) ?? nil { directory.version = max(directory.version, now) }
    }

    /// Until this node knows the directory as of a version. Nothing is carried out later for which nobody may wait any more:
    /// where the database goes away meanwhile, that is told at once.
    func untilFollowed(_ version: Int64) async throws(StoreError) {
        while head < UInt64(bitPattern: version) {
            guard isServing else { throw .unavailable(retryAfter: retryAfter) }
            bell.ring()
            await appliedBell.wait(atMost: options.pause)
        }
    }
}
