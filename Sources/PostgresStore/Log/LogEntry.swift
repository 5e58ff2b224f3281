internal import Base
internal import Postgres
internal import Push
internal import StoreCore

/// A row of the log as a node reads it (`tail_2`, `pages_1`).
struct LogEntry {
    /// What a row is: the numbers that stand in the log.
    enum Kind: Int32 {
        case message = 0
        case configuration = 1
        case reference = 2
        case ended = 3
        case membership = 4
        case organisation = 5
        case close = 6
        case granted = 7
        case refused = 8
        case app = 9
        case operatorChanged = 10
        case operatorSession = 11
        case inquiry = 12
        case jump = 13
        case nothing = 14

        /// Whether somebody may wait until every node's loops have applied it.
        var isAwaited: Bool { rawValue > Kind.reference.rawValue }
    }

    let seq: UInt64
    /// Whether it concerns this node, or is still to be delivered.
    let isTold: Bool
    let kind: Kind
    let target: TargetKey
    let created: Int64
    let expires: Int64?
    let offset: Int64
    let app: Int32?
    let within: UInt32?
    let flags: Int64
    let display: DisplayType?
    let status: Int32
    let version: Int64?
    /// The task that a reference or an end names.
    let reference: UInt64
    let body: [UInt8]
    let tag: ExactText?

    init(_ rows: PostgresRows, _ row: Int) throws(PostgresShapeError) {
        seq = try rows.position(row, 0)
        isTold = try rows.bool(row, 1) ?? false
        // A kind of a later version concerns this one no more than nothing does.
        kind = Kind(rawValue: try rows.present4(row, 2)) ?? .nothing
        target = TargetKey(raw: try rows.present8(row, 3))
        created = try rows.present8(row, 4)
        expires = try rows.int8(row, 5)
        offset = try rows.int8(row, 6) ?? 0
        app = try rows.int4(row, 7)
        within = try rows.int4(row, 8).map { UInt32(bitPattern: $0) }
        flags = Int64(try rows.int4(row, 9) ?? 0)
        display = try rows.int4(row, 10).map { DisplayType(number: Int64($0)) }
        status = try rows.int4(row, 11) ?? 0
        version = try rows.int8(row, 12)
        reference = try rows.int8(row, 13).map { UInt64(bitPattern: $0) } ?? 0
        body = try rows.bytea(row, 14) ?? []
        tag = try rows.name(row, 15).map { ExactText($0) }
    }

    /// One that concerns nobody.
    init(nothingAt seq: UInt64) {
        self.seq = seq
        (isTold, kind, target, created, expires, offset) = (false, .nothing, TargetKey(raw: 0), 0, nil, 0)
        (app, within, flags, display, status, version, reference, body, tag) = (nil, nil, 0, nil, 0, nil, 0, [], nil)
    }

    /// Which of the target's devices it is for.
    var audience: Audience {
        Audience(
            testOnly: flags & StoredRow.testOnly != 0, withoutIOS: flags & StoredRow.withoutIOS != 0,
            within: within.map { OrgHandle(index: $0) })
    }

    /// The task that it is, or refers to.
    var task: UInt64 { kind == .reference ? reference : seq }

    /// The device that it is for, or about; `nil` where it is for others.
    var device: UInt32? { target.kind == .device ? target.shortID : nil }

    /// The device whose node alone it is for: the one that has it, or has had it a moment ago. What is about a connection names
    /// its node.
    var onlyForNodeOf: UInt32? {
        switch kind {
        case .close, .granted, .refused, .inquiry: nil
        default: device
        }
    }

    /// Of the last row of a reading: where a device's membership was told last, be it another node's device; 0 where none was.
    var lastMembership: UInt64 { UInt64(bitPattern: version ?? 0) }

    /// The connection that it is about.
    var session: SessionID { SessionID(raw: UInt64(bitPattern: version ?? 0)) }

    var closeReason: DisconnectReason {
        switch status {
        case 0: .takenOver
        case 1: .withdrawn
        default: .requested
        }
    }

    /// Of an organisation's entry: that it is gone.
    var isRemoval: Bool { status == 1 }

    /// Where a device belongs from this entry on.
    var membership: Membership {
        Membership(
            organisation: OrgHandle(index: within ?? 0), user: version.map { UserHandle(raw: UInt64(bitPattern: $0)) },
            platform: flags & 2 == 0 ? .android : .ios, test: flags & 1 != 0)
    }

    /// As devices get it.
    func row(as task: TaskID, of app: AppKey) -> Row {
        StoredRow(
            seq: self.task, kind: version == nil ? .message : .configuration, app: 0, target: target, flags: flags,
            within: within,
            created: created, expires: expires, offset: offset, payload: body, body: 0..<body.count, display: display, tag: tag,
            version: version, targeted: 0, skipped: 0, description: nil
        ).delivered(as: task, of: app, at: seq, to: target, in: theLane)
    }
}
