internal import Push

/// Taking a push: every check that depends on the directory, the clock or earlier pushes, and the row.
extension Ledger {
    /// A target as it was found.
    private struct Resolved {
        let key: TargetKey
        /// Devices that are in the target, by platform; with `testOnly`, test devices only.
        let android: Int
        let ios: Int
        /// As `current_config` names it: a configuration for a device is for whoever holds its token.
        let name: String
        var devices: Int { android + ios }
    }

    /// Decides a push, in the order of the interface.
    func append(_ request: PushRequest, withinRate: Bool) throws(SQLiteError) -> Accepted {
        if failure != nil { return .unavailable(retryAfter: retryAfter) }
        do {
            guard let record = apps[request.app] else { throw Refusal(.unknownAppKey, field: "appkey") }
            if record.app.disabled { throw Refusal(.appDisabled, field: "appkey") }
            guard record.app.interfaces.contains(request.interface) else { throw Refusal(.interfaceNotAllowed, field: "appkey") }
            if let idempotency = request.idempotency, let first = try earlier(idempotency, of: record.number) {
                return first
            }
            let expires = try Expiry.resolve(request.expireTime, of: request.interface, now: now)
            if !withinRate { throw Refusal(.rateLimited) }
            let target = try resolve(request, for: record.app)
            if request.testOnly && target.devices == 0 { throw Refusal(.noTestDevice) }
            return .stored(try store(request, record, target, expires))
        } catch let refusal as Refusal {
            return .refused(refusal)
        } catch let error as SQLiteError {
            throw error
        } catch {
            throw SQLiteError(code: 1, message: "\(error)")
        }
    }

    // MARK: out_biz_no

    /// How long a repeat is recognised, in milliseconds.
    private static let idempotencyLifetime: Int64 = 24 * 3_600_000

    /// The first answer to this `out_biz_no`, if there was one within 24 hours.
    private func earlier(_ idempotency: PushRequest.Idempotency, of app: Int64) throws -> Accepted? {
        let hash = StableHash.of(idempotency.outBizNo)
        var positions: [UInt64] = []
        let query = try database.statement("SELECT seq FROM biz_index WHERE app = ? AND hash = ? ORDER BY seq")
        query.bind(1, app)
        query.bind(2, hash)
        while try query.step() { positions.append(query.position(0)) }
        for generation in tail.take().generations { positions += generation.rows(app: app, bizHash: hash) }

        let row = try database.statement("SELECT created, out_biz_no, fingerprint FROM message WHERE seq = ?")
        for position in positions.reversed() {
            row.bind(1, position)
            guard try row.step() else { continue }
            defer { row.reset() }
            guard row.text(1) == idempotency.outBizNo else { continue }
            if row.int(0) <= now - Self.idempotencyLifetime { return nil }
            if row.blob(2) == idempotency.fingerprint { return .repeated(tasks.id(of: position)) }
            throw Refusal(.outBizNoReused, field: "policy.out_biz_no")
        }
        return nil
    }

    // MARK: Targets

    private func resolve(_ request: PushRequest, for app: App) throws -> Resolved {
        switch request.target {
        case .device(let token): try resolve(token, request, app)
        case .user(let user): try resolve(user, request, app)
        case .organisation(let id): try resolve(id, request, app)
        }
    }

    private func resolve(_ token: DeviceToken, _ request: PushRequest, _ app: App) throws -> Resolved {
        guard let device = try addressee(token) else { throw Refusal(.noSuchDevice, field: "device_tokens") }
        if let scope = app.scope, !isInside(device.org, scope) {
            throw Refusal(.targetOutsideScope, field: "device_tokens")
        }
        let counted = !request.testOnly || device.test
        return Resolved(
            key: .device(device.ordinal), android: counted && device.platform == .android ? 1 : 0,
            ios: counted && device.platform == .ios ? 1 : 0, name: token.text)
    }

    private func resolve(_ user: UserID, _ request: PushRequest, _ app: App) throws -> Resolved {
        guard let number = try self.user(user), let devices = try devicesIfAny(of: number) else {
            throw Refusal(.userHasNoDevice, field: "user_id")
        }
        let inside = app.scope.map { scope in devices.filter { isInside($0.membership.organisation.index, scope) } } ?? devices
        if inside.isEmpty { throw Refusal(.targetOutsideScope, field: "user_id") }
        let audience = Audience(testOnly: request.testOnly)
        let counted = inside.filter { audience.standing(of: $0.membership, isBelow: isBelow) == .recipient }
        return Resolved(
            key: .user(number), android: counted.count { $0.membership.platform == .android },
            ios: counted.count { $0.membership.platform == .ios }, name: user.text)
    }

    private func resolve(_ id: OrgID, _ request: PushRequest, _ app: App) throws -> Resolved {
        guard let node = tree[id] else { throw Refusal(.noSuchOrganisation, field: "org_id") }
        if let scope = app.scope, !isInside(node.org, scope) { throw Refusal(.targetOutsideScope, field: "org_id") }
        let tally = node.subtree
        return Resolved(
            key: .organisation(node.org), android: request.testOnly ? tally.testAndroid : tally.android,
            ios: request.testOnly ? tally.testIOS : tally.ios, name: id.text)
    }

    /// Whether an organisation is inside an app's scope. A scope that does not exist (any more) holds nothing.
    func isInside(_ org: UInt32, _ scope: OrgID) -> Bool {
        tree[scope].map { tree.isBelow(org, $0.org) } ?? false
    }

    /// The same of the tree as it is now, as ``Audience`` asks it.
    func isBelow(_ org: OrgHandle, _ ancestor: OrgHandle) -> Bool { tree.isBelow(org.index, ancestor.index) }

    /// A live device with where it belongs now.
    struct Member {
        let ordinal: UInt32
        let membership: Membership

        init(ordinal: UInt32, membership: Membership) {
            self.ordinal = ordinal
            self.membership = membership
        }

        /// From a row of ordinal, organisation, user, platform and test.
        init(_ query: Statement) {
            ordinal = UInt32(truncatingIfNeeded: query.int(0))
            membership = Membership(
                organisation: OrgHandle(index: UInt32(truncatingIfNeeded: query.int(1))),
                user: query.optionalInt(2).map { UserHandle(raw: UInt64($0)) }, platform: query.int(3) == 0 ? .android : .ios,
                test: query.int(4) != 0)
        }
    }

    private func devicesIfAny(of user: Int64) throws(SQLiteError) -> [Member]? {
        let devices = try devices(of: user)
        return devices.isEmpty ? nil : devices
    }

    func devices(of user: Int64) throws(SQLiteError) -> [Member] {
        let query = try database.statement(
            "SELECT ordinal, org, user, platform, test FROM device WHERE user = ? AND retired_seq = 9223372036854775807")
        query.bind(1, user)
        var devices: [Member] = []
        while try query.step() { devices.append(Member(query)) }
        return devices
    }

    /// A user's number, if any device ever had that user.
    func user(_ id: UserID) throws(SQLiteError) -> Int64? {
        let query = try database.statement("SELECT user FROM holder WHERE user_id = ?")
        query.bind(1, id.text)
        guard try query.step() else { return nil }
        defer { query.reset() }
        return query.int(0)
    }

    // MARK: The row

    private func store(
        _ request: PushRequest, _ record: AppRecord, _ target: Resolved, _ expires: Int64?
    ) throws -> TaskID {
        let reach = try request.payload.reach(android: target.android, ios: target.ios)
        var flags = request.testOnly ? StoredRow.testOnly : 0
        var skipped = 0
        if case .withoutIOS(let leftOut) = reach {
            flags |= StoredRow.withoutIOS
            skipped = leftOut
        }
        // Its end takes a position before the new one's: the feed tells both in the log's order.
        if request.interface == .configuration { try supersede(request, record.number, target.key, name: target.name) }
        let row = StoredRow(
            seq: nextPosition(), kind: request.interface == .message ? .message : .configuration, app: record.number,
            target: target.key,
            flags: flags,
            within: scope(of: record.app, for: request), created: now, expires: expires, payload: request.payload.bytes,
            body: request.payload.body, display: request.payload.displayType, tag: request.tag,
            version: request.interface == .configuration ? try nextConfigVersion() : nil, reference: nil,
            targeted: target.devices, skipped: skipped, end: .none, endedAt: nil, description: request.description)
        try insert(row, request.idempotency)
        if row.kind == .configuration { try makeCurrent(row, app: record.number, name: target.name) }
        if row.kind == .message && target.devices == skipped {
            if let receipts = try receipts.receipts(at: row.seq) { self.receipts.complete(receipts, now: now) }
        }
        let task = tasks.id(of: row.seq)
        send(row, task, at: row.seq, to: row.target, app: record.app.key)
        return task
    }

    /// The scope that bounds who receives it: a user's devices that lie inside, and whoever joins a configuration's target later. Any
    /// other target lies inside as a whole.
    private func scope(of app: App, for request: PushRequest) -> UInt32? {
        if request.interface == .message, case .user = request.target { return app.scope.flatMap { tree[$0]?.org } }
        return request.interface == .configuration ? app.scope.flatMap { tree[$0]?.org } : nil
    }

    private func nextConfigVersion() throws(SQLiteError) -> Int64 {
        configVersion += 1
        try setMeta("config_version", configVersion)
        return configVersion
    }

    func insert(_ row: StoredRow, _ idempotency: PushRequest.Idempotency?) throws(SQLiteError) {
        let insert = try database.statement(
            """
            INSERT INTO message(seq, kind, app, target, flags, within, created, expires, payload, body_start, body_end, display,
              tag, description, out_biz_no, fingerprint, version, ref, targeted, skipped)
            VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            """)
        insert.bind(1, row.seq)
        insert.bind(2, row.kind.rawValue)
        insert.bind(3, row.app)
        insert.bind(4, row.target.raw)
        insert.bind(5, row.flags)
        insert.bind(6, row.within.map(Int64.init))
        insert.bind(7, row.created)
        insert.bind(8, row.expires)
        insert.bind(9, row.reference == nil ? row.payload : nil)
        insert.bind(10, row.body.lowerBound)
        insert.bind(11, row.body.upperBound)
        insert.bind(12, row.display.map { $0 == .notification ? 0 : 1 })
        insert.bind(13, row.tag)
        insert.bind(14, row.description)
        insert.bind(15, idempotency?.outBizNo)
        insert.bind(16, idempotency?.fingerprint)
        insert.bind(17, row.version)
        insert.bind(18, row.reference.map { Int64(bitPattern: $0) })
        insert.bind(19, row.targeted)
        insert.bind(20, row.skipped)
        try insert.run()
        if row.reference == nil && isWatched(row.target) { receipts.begin(row) }
        tail.active.append(
            Generation.Entry(
                seq: row.seq, target: row.target, app: row.app, bizHash: idempotency.map { StableHash.of($0.outBizNo) },
                tag: row.reference == nil ? row.tag : nil))
    }

    /// Puts a row, or a reference to one, into the feed.
    func send(_ row: StoredRow, _ task: TaskID, at position: UInt64, to target: TargetKey, app: AppKey) {
        // A device's row concerns the loop that has its session, if any: for the rest it stays in the log, and is not even composed.
        if target.kind == .device {
            guard let session = sessions[UInt32(truncatingIfNeeded: target.id)] else { return }
            let sent = DeliveredRow.row(row, task: task, app: app, position: position, target: target)
            outbox.post(.row(sent), to: session.loop)
        } else {
            outbox.post(.row(DeliveredRow.row(row, task: task, app: app, position: position, target: target)))
        }
    }

    /// Whether somebody may tell of a row soon: its receipts are kept at hand then.
    private func isWatched(_ target: TargetKey) -> Bool {
        target.kind != .device || sessions[UInt32(truncatingIfNeeded: target.id)] != nil
    }
}
