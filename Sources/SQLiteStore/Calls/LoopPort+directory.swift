internal import Push
internal import StoreCore

// What operators change and look up in the directory.

extension LoopPort {
    func apply(_ change: DirectoryChange, by call: OperatorCall) async throws(StoreError) -> ChangeResult {
        try await self.change(change.isOfApp ? .change : .directory, confirmed: true) { decisions, now throws(SQLiteError) in
            try decisions.apply(change, by: call, at: now)
        }
    }

    func apply(_ change: OperatorChange, by call: OperatorCall) async throws(StoreError) -> ChangeResult {
        try await self.change(confirmed: true) { decisions, now throws(SQLiteError) in
            try decisions.apply(change, by: call, at: now)
        }
    }

    func secretUsed(_ secret: String, by app: AppKey, on day: Int64) {
        tell(.change) { decisions, _ throws(SQLiteError) in try decisions.changes.apps.secretUsed(secret, by: app, on: day) }
    }

    func app(_ key: AppKey) async throws(StoreError) -> App {
        let app = try await read(store.reports) { context throws(SQLiteError) in try context.tables.apps.app(key) }
        guard let app else { throw .refused(Refusal(.noSuchApp, field: "appkey")) }
        return app
    }

    func organisation(_ id: OrgID, within scope: OrgID?) async throws(StoreError) -> Organisation {
        guard let found = store.organisations.organisation(id, within: scope) else {
            throw .refused(Refusal(.noSuchOrganisation, field: "org_id"))
        }
        return found
    }

    func device(_ token: DeviceToken, within scope: OrgID?) async throws(StoreError) -> Device {
        let found = try await ask { decisions, _ throws(SQLiteError) -> Device? in
            guard let device = try decisions.tables.devices.find(token) else { return nil }
            if let scope, !decisions.directory.isInside(device.membership.organisation.index, scope) { return nil }
            return try decisions.description(of: device, token)
        }
        guard var found else { throw .refused(Refusal(.noSuchDevice, field: "device_token")) }
        found.node = found.online ? store.options.node : nil
        return found
    }

    func disconnect(_ token: DeviceToken, by call: OperatorCall) async throws(StoreError) {
        try await change(.session, confirmed: true) { decisions, _ throws(SQLiteError) in
            try decisions.disconnect(token, by: call)
        }
    }
}

extension DirectoryChange {
    /// Nothing follows from it, and it depends on nothing that goes on.
    fileprivate var isOfApp: Bool {
        switch self {
        case .putApp, .rotateSecret, .dropFormerSecret, .removeApp: true
        case .putOrganisation, .putDevice, .removeOrganisation, .removeDevice: false
        }
    }
}

// What operators look at, as far as only the writer knows it.

extension Decisions {
    fileprivate func description(
        of device: DeviceTable.Registered, _ token: DeviceToken
    ) throws(SQLiteError) -> Device? {
        let membership = device.membership
        guard let org = directory.tree[membership.organisation.index]?.id else { return nil }
        let user = try membership.user.map { user throws(SQLiteError) in try tables.users.id(of: user.number) } ?? nil
        return Device(
            token: token, platform: membership.platform, organisation: org, user: user, test: membership.test,
            online: sessions[device.ordinal] != nil, lastSeen: try cursors.lastSeen(of: device.ordinal),
            certificate: device.certificate)
    }
}
