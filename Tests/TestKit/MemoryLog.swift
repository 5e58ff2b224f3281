public import Push

/// The log and the directory as simply as they can be said: every question is answered by walking through everything. What a
/// store must do is what this does; a value, so that a test can drive it step by step.
public struct MemoryLog: Sendable {
    /// A device's record.
    public struct DeviceRecord: Sendable {
        /// Its name.
        public let token: DeviceToken
        /// Which device of that name it is.
        public var handle: DeviceHandle
        /// What it shows at CONNECT.
        public var secret: [UInt8]
        /// What stands for it.
        public var certificate: CertificateFingerprint?
        /// From which position on it belonged where, ascending.
        public var memberships: [(since: Position, membership: Membership)]
        /// Where it is now.
        public var organisation: OrgID
        /// Whose it is now.
        public var user: UserID?
        /// Everything up to here is settled.
        public var cursor: Position
        /// Acknowledged beyond the cursor.
        public var settledBeyond: Set<Position> = []
        /// The session that is open.
        public var session: SessionID?
    }

    struct OrganisationRecord: Sendable {
        let handle: OrgHandle
        var name: String
        /// From which position on it was below which other, ascending.
        var parents: [(since: Position, parent: OrgHandle?)]
    }

    /// The one lane of an embedded store.
    public static let lane = Lane(index: 0)

    /// Everything up to here has happened.
    public private(set) var end = Position.start
    /// Every row, oldest first.
    public private(set) var rows: [Row] = []
    /// When tasks were cancelled or superseded.
    public private(set) var endedAt: [TaskID: Position] = [:]
    /// By device, the positions whose PUBACK was counted.
    public private(set) var delivered: [DeviceHandle: Set<Position>] = [:]
    /// By device, the positions that were too large.
    public private(set) var skipped: [DeviceHandle: Set<Position>] = [:]
    /// By device, the positions that it does not take, with its reason codes.
    public private(set) var rejected: [DeviceHandle: [Position: UInt8]] = [:]
    /// Every device by its name.
    public internal(set) var devices: [DeviceToken: DeviceRecord] = [:]
    var organisations: [OrgID: OrganisationRecord] = [:]
    var users: [UserID: UserHandle] = [:]
    private var owners: [DeviceHandle: DeviceToken] = [:]
    private var ordinals: UInt32 = 0
    private var handles: UInt32 = 0

    /// An empty log.
    public init() {}

    private mutating func advance() -> Position {
        end = Position(raw: end.raw + 1)
        return end
    }

    // MARK: The directory

    /// Adds an organisation, or gives it another parent; the parent must exist.
    public mutating func putOrganisation(_ id: OrgID, below parent: OrgID? = nil, name: String = "") -> Entry {
        let parentHandle = parent.flatMap { organisations[$0]?.handle }
        let position = advance()
        var record = organisations[id] ?? OrganisationRecord(handle: OrgHandle(index: handles), name: name, parents: [])
        if organisations[id] == nil { handles += 1 }
        record.name = name
        record.parents.append((position, parentHandle))
        organisations[id] = record
        let handle = record.handle
        return .organisation(handle, parent: parentHandle, at: position)
    }

    /// The handle of an organisation that exists.
    public func handle(of id: OrgID) -> OrgHandle? { organisations[id]?.handle }

    /// Registers a device or changes it; its organisation must exist.
    public mutating func putDevice(
        _ token: DeviceToken, secret: String = "secret", in organisation: OrgID, user: UserID? = nil,
        platform: Platform = .android,
        test: Bool = false
    ) -> Entry {
        precondition(organisations[organisation] != nil, "no such organisation")
        let position = advance()
        let membership = Membership(
            organisation: organisations[organisation]?.handle ?? OrgHandle(index: 0), user: user.map { userHandle($0) },
            platform: platform, test: test)
        if devices[token] == nil {
            let handle = DeviceHandle(lane: Self.lane, ordinal: ordinals)
            ordinals += 1
            owners[handle] = token
            devices[token] = DeviceRecord(
                token: token, handle: handle, secret: Array(secret.utf8), memberships: [], organisation: organisation, user: user,
                cursor: position)
        }
        devices[token]?.memberships.append((position, membership))
        devices[token]?.organisation = organisation
        devices[token]?.user = user
        devices[token]?.secret = Array(secret.utf8)
        let handle = devices[token]?.handle ?? DeviceHandle(lane: Self.lane, ordinal: 0)
        return .membership(handle, membership, at: position)
    }

    /// Forgets a device; its handle is never used again.
    public mutating func removeDevice(_ token: DeviceToken) -> DeviceRecord? {
        _ = advance()
        let record = devices.removeValue(forKey: token)
        if let record { owners[record.handle] = nil }
        return record
    }

    private mutating func userHandle(_ id: UserID) -> UserHandle {
        if let known = users[id] { return known }
        let handle = UserHandle(raw: UInt64(users.count))
        users[id] = handle
        return handle
    }

    /// Apps and the tree as they are now.
    public func snapshot(apps: [App] = [], term: UInt64 = 0) -> DirectorySnapshot {
        DirectorySnapshot(
            lane: Self.lane, position: end, apps: apps,
            organisations: organisations.values.map { ($0.handle, $0.parents.last?.parent) }, term: term)
    }

    // MARK: The log

    /// Appends a row to a target that exists.
    public mutating func append(
        to target: PushRequest.Target, task: TaskID? = nil, audience: Audience = Audience(), expires: Int64? = nil,
        topic: Topic = .message, payload: [UInt8]? = nil
    ) -> Row {
        let position = advance()
        let task = task ?? TaskID("t\(position.raw)")
        let row = Row(
            task: task, position: position, target: rowTarget(target), audience: audience, expires: expires, topic: topic,
            payload: payload ?? Array("{\"task_id\":\"\(task)\"}".utf8))
        rows.append(row)
        return row
    }

    private func rowTarget(_ target: PushRequest.Target) -> RowTarget {
        switch target {
        case .device(let token): .device(devices[token]?.handle ?? DeviceHandle(lane: Self.lane, ordinal: .max))
        case .user(let user): .user(users[user] ?? UserHandle(raw: .max))
        case .organisation(let organisation): .organisation(organisations[organisation]?.handle ?? OrgHandle(index: .max))
        }
    }

    /// Cancels or supersedes a task.
    public mutating func end(_ task: TaskID) -> Entry {
        let position = advance()
        if endedAt[task] == nil { endedAt[task] = position }
        return .ended(task, at: position)
    }

    // MARK: Who gets what

    /// Whether the row is for the device, by where it belonged at the row's position.
    public func concerns(_ row: Row, _ device: DeviceRecord) -> Bool {
        guard let membership = device.memberships.last(where: { $0.since <= row.position })?.membership else { return false }
        switch row.target {
        case .device(let handle): guard handle == device.handle else { return false }
        case .user(let user): guard user == membership.user else { return false }
        case .organisation(let organisation):
            guard isBelow(membership.organisation, organisation, at: row.position) else { return false }
        }
        if row.audience.testOnly, !membership.test { return false }
        if row.audience.withoutIOS, membership.platform == .ios { return false }
        if let within = row.audience.within, !isBelow(membership.organisation, within, at: row.position) { return false }
        return true
    }

    /// A page for the device: at most `limit` rows, after looking at no more than `scan` rows of the log.
    public func pending(for handle: DeviceHandle, after: Position, limit: Int, now: Int64 = 0, scan: Int = .max) -> Pending? {
        guard let token = owners[handle], let device = devices[token], let membership = device.memberships.last?.membership else {
            return nil
        }
        var found: [Row] = []
        var looked = 0
        for row in rows where row.position > after {
            if found.count == limit || looked == scan {
                let before = Position(raw: row.position.raw - 1)
                return Pending(rows: found, lookedUpTo: before, membership: membership, membershipAt: end)
            }
            looked += 1
            let isOver = endedAt[row.task] != nil || row.expires ?? .max <= now
            if !isOver, concerns(row, device) { found.append(row) }
        }
        return Pending(rows: found, lookedUpTo: end, membership: membership, membershipAt: end)
    }

    /// Counts a fact, once.
    public mutating func settle(_ delivery: Delivery) {
        let (device, position) = (delivery.device, delivery.position)
        // The first that is told of a row holds.
        let isKnown =
            delivered[device]?.contains(position) ?? false || skipped[device]?.contains(position) ?? false
            || rejected[device]?[position] != nil
        switch delivery.kind {
        case _ where isKnown: break
        case .delivered: delivered[device, default: []].insert(position)
        case .skipped: skipped[device, default: []].insert(position)
        case .rejected(let reasonCode): rejected[device, default: [:]][position] = reasonCode
        }
        guard let token = owners[delivery.device] else { return }
        devices[token]?.settledBeyond.insert(delivery.position)
        moveCursor(of: token, to: delivery.settledUpTo)
    }

    /// Everything of the device up to there is settled.
    public mutating func moveCursor(of token: DeviceToken, to position: Position) {
        guard var device = devices[token] else { return }
        device.cursor = max(device.cursor, position)
        device.settledBeyond = device.settledBeyond.filter { $0 > device.cursor }
        devices[token] = device
    }

    /// The device with that handle.
    public func device(_ handle: DeviceHandle) -> DeviceRecord? { owners[handle].flatMap { devices[$0] } }

    /// What a session of the device begins with.
    public func attached(_ token: DeviceToken) -> Attached? {
        devices[token].map {
            // Its feed tells every loop everything.
            Attached(device: $0.handle, settledUpTo: $0.cursor, settledBeyond: $0.settledBeyond.sorted(), feedFrom: .start)
        }
    }
}
