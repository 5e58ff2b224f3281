internal import Base
internal import Postgres
internal import Push
internal import StoreCore

/// An entry of the audit log on its way to the database.
struct AuditLine: Sendable {
    let entry: AuditEntry
    /// At which node.
    let node: NodeName
    /// The task's position, where it is one of this store's.
    let seq: UInt64?
    /// Of entries of which one a minute is kept the same; of any other one its own, by which a call that is made again is known.
    let seen: Int64
    /// When it was recorded, in store time; of a change that is when it is written.
    let recordedAt: Int64?

    /// Of a change.
    init(of change: AuditEntry, at node: NodeName, seq: UInt64? = nil) {
        entry = change
        self.node = node
        self.seq = seq
        seen = Self.drawn
        recordedAt = nil
    }

    /// Of what changes nothing.
    /// - Parameter isOncePerMinute: whether another one of the same call within a minute says nothing new.
    init(recorded entry: AuditEntry, at node: NodeName, _ time: Int64, seq: UInt64? = nil, isOncePerMinute: Bool = false) {
        self.entry = entry
        self.node = node
        self.seq = seq
        seen = isOncePerMinute ? entry.hashOfCall : Self.drawn
        recordedAt = time
    }

    private static var drawn: Int64 { Int64.random(in: .min ... .max) }
}

extension AuditEntry {
    /// What entries of the same call have in common, whichever node has taken it.
    fileprivate var hashOfCall: Int64 {
        let parts: [String?] = [
            caller.kind, caller.identity.map { "\($0.number.value) \($0.name.text)" }, scope?.text, client?.description,
            action.rawValue, target?.kind.rawValue, target?.id, task, "\(code)",
        ]
        // With their lengths, so that no two entries are written alike.
        return StableHash.of(parts.map { $0.map { "\($0.utf8.count) \($0)" } ?? "-" }.joined(separator: " "))
    }

    /// The device that it is about.
    fileprivate var device: DeviceToken? { target?.kind == .device ? target.flatMap { DeviceToken($0.id) } : nil }
}

extension PostgresArguments {
    /// Entries as `audit_entries` takes them: one array, seventeen elements each.
    /// - Parameter now: store time, by which it is told how long ago they were recorded.
    mutating func append(audit lines: [AuditLine], at now: Int64 = 0) {
        appendArray(of: .bytea) { array in
            for line in lines {
                let entry = line.entry
                array.append(field: "\(line.seen)")
                array.append(field: "\(line.recordedAt.map { max(0, now - $0) } ?? 0)")
                array.append(field: entry.caller.kind)
                array.append(field: entry.caller.identity.map { "\($0.number.value)" })
                array.append(field: entry.caller.name?.text)
                array.append(field: entry.scope?.text)
                if let client = entry.client { array.append(bytea: client.storedBytes) } else { array.appendNull() }
                array.append(field: entry.requestID)
                array.append(field: entry.action.rawValue)
                array.append(field: entry.target?.kind.rawValue)
                array.append(field: entry.target?.id)
                array.append(field: entry.device.map { "\(StableHash.of($0.text))" })
                array.append(field: entry.task)
                array.append(field: line.seq.map { "\(Int64(bitPattern: $0))" })
                array.append(field: "\(entry.code)")
                array.append(field: AuditDetail.text(of: entry.details))
                array.append(field: line.node.text)
            }
        }
    }
}

extension PostgresArrayWriter {
    /// A text as bytes, or null.
    fileprivate mutating func append(field text: String?) {
        if let text { append(bytea: Array(text.utf8)) } else { appendNull() }
    }
}
