internal import Push
internal import StoreCore

/// Finds a push's target, and counts the devices that it addresses.
struct TargetResolver {
    private let users: UserTable
    private let devices: DeviceTable
    private let directory: DirectoryMemory

    init(_ tables: Tables, _ directory: DirectoryMemory) {
        users = tables.users
        devices = tables.devices
        self.directory = directory
    }

    /// A target as it was found.
    struct Found {
        let kind: TargetKey.Kind
        let key: TargetKey
        /// Devices that the push addresses, by platform.
        let android: Int
        let ios: Int
        /// The caller's name for it.
        let name: String
        var devices: Int { android + ios }

        /// What a configuration for it is the current one of.
        func slot(of app: Int64, _ request: PushRequest) -> ConfigurationTable.Slot {
            ConfigurationTable.Slot(
                target: ConfigurationTable.Target(kind: kind, name: name), app: app, tag: request.tag, testOnly: request.testOnly)
        }
    }

    /// How many of those that a push would reach are connected. Of an organisation only all are counted.
    /// - Parameter withoutIOS: whether iOS devices are left out.
    /// - Returns: `nil` where that is not known.
    func online(
        _ found: Found, of request: PushRequest, withoutIOS: Bool, by sessions: SessionRegistry
    ) throws(SQLiteError) -> Int? {
        switch request.target {
        case .device:
            return found.devices > 0 && sessions[found.key.shortID] != nil ? 1 : 0
        case .user:
            let audience = Audience(testOnly: request.testOnly, withoutIOS: withoutIOS)
            return try devices.members(ofUser: found.key.id).count {
                audience.standing(of: $0.membership, isBelow: directory.tree.isBelow) == .recipient && sessions[$0.ordinal] != nil
            }
        case .organisation:
            return request.testOnly || withoutIOS ? nil : directory.tree[found.key.shortID]?.online
        }
    }

    /// - Throws: 2201 to 2203, 2009.
    func resolve(_ request: PushRequest, for app: App) throws -> Found {
        switch request.target {
        case .device(let token): try resolve(token, request, app)
        case .user(let user): try resolve(user, request, app)
        case .organisation(let id): try resolve(id, request, app)
        }
    }

    private func resolve(_ token: DeviceToken, _ request: PushRequest, _ app: App) throws -> Found {
        guard let device = try directory.addressee(token) else { throw Refusal(.noSuchDevice, field: "device_tokens") }
        if let scope = app.scope, !directory.isInside(device.org, scope) {
            throw Refusal(.targetOutsideScope, field: "device_tokens")
        }
        let isCounted = !request.testOnly || device.test
        return Found(
            kind: .device, key: .device(device.ordinal), android: isCounted && device.platform == .android ? 1 : 0,
            ios: isCounted && device.platform == .ios ? 1 : 0, name: token.text)
    }

    private func resolve(_ user: UserID, _ request: PushRequest, _ app: App) throws -> Found {
        let number = try users.number(of: user)
        let all = try number.map { number throws(SQLiteError) in try devices.members(ofUser: number) } ?? []
        guard let number, !all.isEmpty else { throw Refusal(.userHasNoDevice, field: "user_id") }
        let inside =
            app.scope.map { scope in
                all.filter { directory.isInside($0.membership.organisation.index, scope) }
            } ?? all
        if inside.isEmpty { throw Refusal(.targetOutsideScope, field: "user_id") }
        let audience = Audience(testOnly: request.testOnly)
        let counted = inside.filter {
            audience.standing(of: $0.membership, isBelow: directory.tree.isBelow) == .recipient
        }
        return Found(
            kind: .user, key: .user(number), android: counted.count { $0.membership.platform == .android },
            ios: counted.count { $0.membership.platform == .ios }, name: user.text)
    }

    private func resolve(_ id: OrgID, _ request: PushRequest, _ app: App) throws -> Found {
        guard let node = directory.tree[id] else { throw Refusal(.noSuchOrganisation, field: "org_id") }
        if let scope = app.scope, !directory.isInside(node.org, scope) {
            throw Refusal(.targetOutsideScope, field: "org_id")
        }
        return Found(
            kind: .organisation, key: .organisation(node.org),
            android: node.subtree.count(.android, testOnly: request.testOnly),
            ios: node.subtree.count(.ios, testOnly: request.testOnly), name: id.text)
    }
}
