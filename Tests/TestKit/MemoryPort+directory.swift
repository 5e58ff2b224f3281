public import Push

extension MemoryPort {
    /// Changes the directory by one commit each.
    public func apply(_ change: DirectoryChange, by call: OperatorCall) async throws(StoreError) -> ChangeResult {
        try await audited(AuditEntry(call, change.action, change.target)) { Self.decide(change, &$0) }
    }

    /// The same as a line of an import.
    func applyLine(_ change: DirectoryChange) async throws(StoreError) -> ChangeResult {
        try await attempt { Self.decide(change, &$0) }
    }

    private static func decide(
        _ change: DirectoryChange, _ state: inout MemoryStore.State
    ) -> (Result<ChangeResult, StoreError>, [Entry]) {
        do throws(Refusal) {
            let (result, entries) = try apply(change, &state)
            return (.success(result), entries)
        } catch {
            return (.failure(.refused(error)), [])
        }
    }

    /// There are no operators here.
    public func apply(_ change: OperatorChange, by call: OperatorCall) async throws(StoreError) -> ChangeResult {
        throw .unavailable(retryAfter: .seconds(1))
    }

    private static func apply(_ change: DirectoryChange, _ state: inout MemoryStore.State) throws(Refusal) -> (
        ChangeResult, [Entry]
    ) {
        switch change {
        case .putApp(let key, let fields, let secret): return try put(key, fields, secret, &state)
        case .rotateSecret(let key, let secret, let again):
            let entry = try modify(key, &state) { app throws(Refusal) in try app.rotateSecret(to: secret, again: again) }
            return (.created(secret: secret), [entry])
        case .dropFormerSecret(let key): return (.removed, [try modify(key, &state) { $0.dropFormerSecret() }])
        case .removeApp(let key):
            guard state.apps.removeValue(forKey: key) != nil else { throw Refusal(.noSuchApp, field: "appkey") }
            return (.removed, [.app(key, nil)])
        case .putOrganisation(let id, let fields): return try put(id, fields, &state)
        case .removeOrganisation(let id):
            guard let handle = state.log.handle(of: id) else { throw Refusal(.noSuchOrganisation, field: "org_id") }
            guard !state.log.isInUse(handle), !state.apps.values.contains(where: { $0.scope == id }) else {
                throw Refusal(.organisationInUse, field: "org_id")
            }
            state.log.removeOrganisation(id)
            return (.removed, [])
        case .putDevice(let token, let fields, let secret): return try put(token, fields, secret, &state)
        case .removeDevice(let token):
            guard let record = state.log.removeDevice(token) else { throw Refusal(.noSuchDevice, field: "device_token") }
            return (.removed, close(record))
        }
    }

    private static func close(_ record: MemoryLog.DeviceRecord) -> [Entry] {
        record.session.map { [.close(record.handle, session: $0, .withdrawn)] } ?? []
    }

    private static func put(
        _ key: AppKey, _ fields: AppChange, _ secretIfNew: String?, _ state: inout MemoryStore.State
    ) throws(Refusal) -> (ChangeResult, [Entry]) {
        if case .set(let scope) = fields.scope, state.log.handle(of: scope) == nil {
            throw Refusal(.noSuchOrganisation, field: "org_id")
        }
        guard state.apps[key] == nil else { return (.updated, [try modify(key, &state) { app in app.apply(fields) }]) }
        let app = try App(key, fields, secretIfNew: secretIfNew)
        state.apps[key] = app
        return (.created(secret: app.masterSecret), [.app(key, app)])
    }

    private static func modify(
        _ key: AppKey, _ state: inout MemoryStore.State, _ change: (inout App) throws(Refusal) -> Void
    ) throws(Refusal) -> Entry {
        guard var app = state.apps[key] else { throw Refusal(.noSuchApp, field: "appkey") }
        try change(&app)
        state.apps[key] = app
        return .app(key, app)
    }

    private static func put(
        _ id: OrgID, _ fields: OrganisationChange, _ state: inout MemoryStore.State
    ) throws(Refusal) -> (ChangeResult, [Entry]) {
        let isNew = state.log.handle(of: id) == nil
        let known = state.log.organisation(id)
        guard let name = fields.name ?? known?.name else { throw Refusal(.missingField, field: "name") }
        let parent = resolve(fields.parent, known?.parent)
        if let parent {
            guard state.log.handle(of: parent) != nil else { throw Refusal(.noSuchOrganisation, field: "parent_id") }
            if let handle = state.log.handle(of: id), state.log.isBelow(parent, handle) {
                throw Refusal(.invalidValue, field: "parent_id")
            }
        }
        let entry = state.log.putOrganisation(id, below: parent, name: name)
        return (isNew ? .created(secret: nil) : .updated, [entry])
    }

    private static func put(
        _ token: DeviceToken, _ fields: DeviceChange, _ secretIfNew: String?, _ state: inout MemoryStore.State
    ) throws(Refusal) -> (ChangeResult, [Entry]) {
        let old = state.log.devices[token]
        let known = old?.memberships.last?.membership
        guard let platform = fields.platform ?? known?.platform else { throw Refusal(.missingField, field: "platform") }
        guard known == nil || known?.platform == platform else { throw Refusal(.invalidValue, field: "platform") }
        guard let organisation = fields.organisation ?? old?.organisation else { throw Refusal(.missingField, field: "org_id") }
        guard state.log.handle(of: organisation) != nil else { throw Refusal(.noSuchOrganisation, field: "org_id") }
        let oldSecret = old.map { String(decoding: $0.secret, as: UTF8.self) }
        guard let secret = fields.secret ?? oldSecret ?? secretIfNew else { throw Refusal(.missingField, field: "secret") }
        let user = resolve(fields.user, old?.user)
        let isAnother = old.map { $0.user != nil && $0.user != user || secret != oldSecret } ?? true
        let certificate = fields.certificate.value(after: isAnother ? nil : old?.certificate)
        var entries: [Entry] = []
        if let old, old.certificate != nil, certificate != old.certificate { entries = close(old) }
        if let old, old.user != nil && old.user != user || secret != oldSecret {
            entries = close(old)
            if old.user != nil && old.user != user { _ = state.log.removeDevice(token) }
        }
        entries.append(
            state.log.putDevice(
                token, secret: secret, in: organisation, user: user, platform: platform, test: fields.test ?? known?.test ?? false
            ))
        state.log.devices[token]?.certificate = certificate
        return (old == nil ? .created(secret: secret) : .updated, entries)
    }

    private static func resolve<Value>(_ patch: Patch<Value>, _ old: Value?) -> Value? {
        switch patch {
        case .keep: old
        case .clear: nil
        case .set(let value): value
        }
    }

    /// Notes the day.
    public func secretUsed(_ secret: String, by app: AppKey, on day: Int64) {
        Task {
            _ = try? await attempt { state -> (Result<Void, StoreError>, [Entry]) in
                _ = state.apps[app]?.note(use: secret, on: day)
                return (.success(()), [])
            }
        }
    }

    // MARK: Reading

    /// The app.
    public func app(_ key: AppKey) async throws(StoreError) -> App {
        try await attempt { state in
            (state.apps[key].map(Result.success) ?? .failure(.refused(Refusal(.noSuchApp, field: "appkey"))), [])
        }
    }

    /// The organisation with its counters, whatever the scope.
    public func organisation(_ id: OrgID, within scope: OrgID?) async throws(StoreError) -> Organisation {
        try await attempt { state in
            (
                state.log.organisation(id).map(Result.success)
                    ?? .failure(.refused(Refusal(.noSuchOrganisation, field: "org_id"))), []
            )
        }
    }

    /// Closes the device's connection, if it has one.
    public func disconnect(_ token: DeviceToken, by call: OperatorCall) async throws(StoreError) {
        let entry = AuditEntry(call, .deviceDisconnect, AuditTarget(.device, token.text))
        try await audited(entry) { state -> (Result<Void, StoreError>, [Entry]) in
            guard let record = state.log.devices[token] else {
                return (.failure(.refused(Refusal(.noSuchDevice, field: "device_token"))), [])
            }
            return (.success(()), record.session.map { [.close(record.handle, session: $0, .requested)] } ?? [])
        }
    }

    /// The device, whatever the scope.
    public func device(_ token: DeviceToken, within scope: OrgID?) async throws(StoreError) -> Device {
        try await attempt { state in
            (
                state.log.devices[token].map { .success($0.device) }
                    ?? .failure(.refused(Refusal(.noSuchDevice, field: "device_token"))), []
            )
        }
    }

    /// A page by name.
    public func apps(after: PageToken?, limit: Int) async throws(StoreError) -> Page<App> {
        try await attempt { state in (.success(Self.page(Array(state.apps.values), by: \.key.text, after, limit)), []) }
    }

    /// A page by name, whatever the scope.
    public func organisations(within scope: OrgID?, after: PageToken?, limit: Int) async throws(StoreError) -> Page<Organisation>
    {
        try await attempt { state in (.success(Self.page(state.log.allOrganisations, by: \.id.text, after, limit)), []) }
    }

    /// A page by name.
    public func devices(_ filter: DeviceFilter, after: PageToken?, limit: Int) async throws(StoreError) -> Page<Device> {
        try await attempt { state in
            let found = state.log.devices.values.map(\.device).filter { device in
                (filter.organisation == nil || device.organisation == filter.organisation)
                    && (filter.user == nil || device.user == filter.user)
                    && (filter.online == nil || device.online == filter.online)
            }
            return (.success(Self.page(found, by: \.token.text, after, limit)), [])
        }
    }
}
