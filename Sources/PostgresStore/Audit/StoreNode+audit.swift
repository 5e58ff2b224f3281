internal import Base
internal import Postgres
internal import Push
internal import StoreCore

// The audit log is written: what belongs to a change with it, everything else soon.

extension StoreNode {
    /// Remembers what changes nothing, and has it written.
    func record(_ entry: AuditEntry) {
        guard !isClosing, audit.record(AuditLine(recorded: entry, at: options.node, clock.now)) else { return figures.lose(1) }
        guard !isRecording, !isToRecord else { return }
        isToRecord = true
        // What comes at the same time goes in the same call.
        enter { node in
            node.isToRecord = false
            node.work { await $0.writeAudit() }
        }
    }

    /// A call was refused, or has changed nothing: it has its entry before it is answered, as far as there is room.
    func recordOnce(_ entry: AuditEntry, of seq: UInt64? = nil) async {
        guard audit.admits(entry, at: clock.now / 60_000) else { return }
        guard audit.record(AuditLine(recorded: entry, at: options.node, clock.now, seq: seq, isOncePerMinute: true)) else {
            return figures.lose(1)
        }
        await writeAudit()
    }

    /// The same of a refusal.
    func recordRefused(_ entry: AuditEntry, _ code: ErrorCode, of seq: UInt64? = nil) async {
        var entry = entry
        entry.code = code.rawValue
        await recordOnce(entry, of: seq)
    }

    /// An entry of a call that has succeeded and has changed nothing.
    func recordNow(_ entry: AuditEntry, of seq: UInt64? = nil) async {
        guard audit.record(AuditLine(recorded: entry, at: options.node, clock.now, seq: seq)) else { return figures.lose(1) }
        await writeAudit()
    }

    /// Writes what was recorded so far. Where it cannot be written it stays, and is written later.
    func writeAudit() async {
        while isRecording { await recordedBell.wait(atMost: options.pause) }
        guard !audit.isEmpty else { return }
        isRecording = true
        let isWritten = await writeEntries()
        isRecording = false
        recordedBell.ring()
        guard !isWritten, !isClosing, !isToRecordLater else { return }
        isToRecordLater = true
        work { node in
            await Bell(on: node.loop).wait(atMost: node.options.rest)
            node.isToRecordLater = false
            await node.writeAudit()
        }
    }

    /// - Returns: whether everything is written that can be.
    private func writeEntries() async -> Bool {
        var limit = 100
        while case let batch = audit.nextBatch(atMost: limit), !batch.isEmpty {
            switch await timely(own, Statements.record, { $0.append(audit: batch.lines, at: clock.now) }) {
            case .rows:
                audit.wrote(batch)
                figures.recorded(batch.lines.count)
            case .failed(let error):
                tellSeldom("audit entries are refused by the database", of: error.state, "\(error)")
                // Anything but their own content may pass.
                guard ["22", "23"].contains(error.state.class) else { return false }
                // One of them is at fault: each alone.
                guard batch.lines.count == 1 else {
                    limit = 1
                    continue
                }
                audit.giveUp(batch)
                figures.lose(batch.recorded)
                if batch.recorded == 0 { return false }
            case .unknown, .unavailable, .tooLarge: return false
            }
        }
        return true
    }

    /// Tells in an entry how many refusals have found no room, when it is time.
    func tellLeftOut(atOnce: Bool = false) async {
        figures.lose(audit.loseLeftOut(atOnce: atOnce))
        await writeAudit()
    }
}

// MARK: Forgetting

extension StoreNode {
    /// How many rows one call forgets.
    private static let forgottenAtATime: Int32 = 500

    /// Forgets entries and counts after their time, some at a time.
    /// - Returns: whether there may be more.
    func sweepAudit() async -> Bool {
        guard clock.now - auditSwept >= options.sweepInterval else { return false }
        let outcome = await timely(own, Statements.forgetAudit) { arguments in
            arguments.append(int8: options.auditRetention)
            arguments.append(int4: Self.forgottenAtATime)
        }
        guard case .rows(let rows) = outcome,
            let isMore = (try? rows.bool(0, 0)) ?? nil
        else { return false }
        if !isMore { auditSwept = clock.now }
        return isMore
    }
}
