internal import Push

/// A row of the log: message and task in one, or a reference to a configuration that somebody joined.
struct StoredRow {
    enum Kind: Int64 {
        case message = 0
        case configuration = 1
        /// Sent, superseded and counted as the task that `reference` names.
        case reference = 2
    }

    /// How a task was ended by somebody; expiry and completion are computed.
    enum End: Int64 {
        case none = 0
        case cancelled = 1
        case superseded = 2
    }

    static let testOnly: Int64 = 1
    static let withoutIOS: Int64 = 2

    var seq: UInt64
    var kind: Kind
    var app: Int64
    var target: TargetKey
    var flags: Int64
    var within: UInt32?
    var created: Int64
    var expires: Int64?
    var payload: [UInt8]
    var body: Range<Int>
    var display: DisplayType?
    var tag: String?
    var version: Int64?
    var reference: UInt64?
    var targeted: Int
    /// iOS devices that were left out when the push was accepted.
    var skipped: Int
    var end: End
    var endedAt: Int64?
    var description: String?

    var isTestOnly: Bool { flags & Self.testOnly != 0 }
    var isWithoutIOS: Bool { flags & Self.withoutIOS != 0 }
    var interface: Interface { kind == .message ? .message : .configuration }

    var audience: Audience {
        Audience(testOnly: isTestOnly, withoutIOS: isWithoutIOS, within: within.map { OrgHandle(index: $0) })
    }

    /// Whether it may still be handed to a device.
    func isDeliverable(at now: Int64) -> Bool {
        end == .none && (expires.map { $0 > now } ?? true)
    }
}

/// Reads rows of the log by position.
struct RowReader {
    let database: Database

    func row(_ seq: UInt64) throws(SQLiteError) -> StoredRow? {
        let query = try database.statement(
            """
            SELECT seq, kind, app, target, flags, within, created, expires, payload, body_start, body_end, display, tag,
              version, ref, targeted, skipped, status, ended_at, description FROM message WHERE seq = ?
            """)
        query.bind(1, seq)
        guard try query.step() else { return nil }
        defer { query.reset() }
        return Self.read(query)
    }

    static func read(_ query: Statement) -> StoredRow {
        let payload = query.blob(8)
        // Inside the payload, whatever a damaged file says; a reference has the task's range and no payload of its own.
        let start = min(max(0, Int(query.int(9))), payload.count)
        return StoredRow(
            seq: query.position(0), kind: StoredRow.Kind(rawValue: query.int(1)) ?? .message, app: query.int(2),
            target: TargetKey(raw: query.int(3)), flags: query.int(4),
            within: query.optionalInt(5).map { UInt32(truncatingIfNeeded: $0) }, created: query.int(6),
            expires: query.optionalInt(7), payload: payload, body: start..<min(max(start, Int(query.int(10))), payload.count),
            display: query.optionalInt(11).map { $0 == 0 ? .notification : .message }, tag: query.optionalText(12),
            version: query.optionalInt(13), reference: query.optionalInt(14).map { UInt64(bitPattern: $0) },
            targeted: Int(query.int(15)), skipped: Int(query.int(16)), end: StoredRow.End(rawValue: query.int(17)) ?? .none,
            endedAt: query.optionalInt(18), description: query.optionalText(19))
    }
}
