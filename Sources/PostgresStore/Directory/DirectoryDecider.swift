internal import Base
internal import Crypto
internal import Push
internal import StoreCore

/// Decides changes of the directory: by what this node knows of it as of a version, and by what the database was asked for as of
/// that. What it writes is valid if that is still the version then.
struct DirectoryDecider {
    let directory: DirectoryState
    let findings: DirectoryFindings
    /// On whose behalf; `nil` for the installation.
    let caller: OperatorNumber?
    private(set) var writes = DirectoryWrites()

    init(_ directory: DirectoryState, _ findings: DirectoryFindings, by caller: OperatorNumber?) {
        self.directory = directory
        self.findings = findings
        self.caller = caller
    }

    mutating func decide(_ change: DirectoryChange) throws(Refusal) -> ChangeResult {
        try permit(change)
        switch change {
        case .putApp(let key, let fields, let secret): return try put(key, fields, secret)
        case .rotateSecret(let key, let secret, let again):
            try self.change(key) { app throws(Refusal) in try app.rotateSecret(to: secret, again: again) }
            return .created(secret: secret)
        case .dropFormerSecret(let key):
            try self.change(key) { app throws(Refusal) in app.dropFormerSecret() }
            return .removed
        case .removeApp(let key): return try removeApp(key)
        case .putOrganisation(let id, let fields): return try put(id, fields)
        case .removeOrganisation(let id): return try remove(id)
        case .putDevice(let token, let fields, let secret): return try put(token, fields, secret)
        case .removeDevice(let token): return try remove(token)
        }
    }

    // MARK: What the caller may touch

    private func permit(_ change: DirectoryChange) throws(Refusal) {
        guard let scope = try directory.operators.require(.administrator, of: caller) else { return }
        switch change {
        case .putApp, .rotateSecret, .dropFormerSecret, .removeApp: throw Refusal(.notPermitted, .unscoped)
        case .putOrganisation(let id, let fields): try directory.tree.permitPut(id, fields, in: scope)
        case .removeOrganisation(let id): try directory.tree.permitRemoving(id, in: scope)
        case .putDevice(let token, let fields, _): try permitPut(token, fields, in: scope)
        case .removeDevice(let token):
            guard let device = findings.devices[token], isInside(device, scope) else {
                throw Refusal(.noSuchDevice, field: "device_token")
            }
        }
    }

    private func permitPut(_ token: DeviceToken, _ fields: DeviceChange, in scope: OrgID) throws(Refusal) {
        let device = findings.devices[token]
        if let device, !isInside(device, scope) { throw Refusal(.noSuchDevice, field: "device_token") }
        if let organisation = fields.organisation { try directory.tree.requireInside(organisation, scope, "org_id") }
        // Whoever is put in the place of somebody outside would get what is, or was, addressed to that person: also where that
        // person's devices are gone. Of a user who has never had a device nothing is known, and nothing was addressed to it.
        guard case .set(let user) = fields.user, let number = findings.users[user] else { return }
        if device?.membership.user?.number == number || findings.insiders.contains(number) { return }
        throw Refusal(.userHasNoDevice, field: "user_id")
    }

    private func isInside(_ device: FoundDevice, _ scope: OrgID) -> Bool {
        directory.tree.isInside(device.membership.organisation.index, scope)
    }

    // MARK: Apps

    private mutating func put(_ key: AppKey, _ fields: AppChange, _ secretIfNew: String?) throws(Refusal) -> ChangeResult {
        let known = directory.apps[key]
        let app: App
        if var changed = known?.app {
            changed.apply(fields)
            app = changed
        } else {
            app = try App(key, fields, secretIfNew: secretIfNew)
        }
        if case .set(let scope) = fields.scope, directory.tree[scope] == nil {
            throw Refusal(.noSuchOrganisation, field: "org_id")
        }
        writes.apps.append(.init(number: known?.number, app: app, isRemoved: false, at: writes.takePosition()))
        return known == nil ? .created(secret: app.masterSecret) : .updated
    }

    private mutating func change(_ key: AppKey, _ body: (inout App) throws(Refusal) -> Void) throws(Refusal) {
        guard let known = directory.apps[key] else { throw Refusal(.noSuchApp, field: "appkey") }
        var app = known.app
        try body(&app)
        writes.apps.append(.init(number: known.number, app: app, isRemoved: false, at: writes.takePosition()))
    }

    /// Notes for operators on which day an app has used a secret, where that is news.
    mutating func note(use secret: String, by key: AppKey, on day: Int64) {
        guard let known = directory.apps[key], case var app = known.app, app.note(use: secret, on: day) else { return }
        writes.apps.append(.init(number: known.number, app: app, isRemoved: false, at: writes.takePosition()))
    }

    private mutating func removeApp(_ key: AppKey) throws(Refusal) -> ChangeResult {
        guard let known = directory.apps[key] else { throw Refusal(.noSuchApp, field: "appkey") }
        writes.apps.append(.init(number: known.number, app: known.app, isRemoved: true, at: writes.takePosition()))
        return .removed
    }

    // MARK: Organisations

    private mutating func put(_ id: OrgID, _ fields: OrganisationChange) throws(Refusal) -> ChangeResult {
        let tree = directory.tree
        let known = tree[id]
        let name: String
        if let given = fields.name ?? known?.name { name = given } else { name = try fields.required() }
        var parent = known?.parent.flatMap { tree[$0] }
        switch fields.parent {
        case .keep: break
        case .clear: parent = nil
        case .set(let above):
            guard let found = tree[above] else { throw Refusal(.noSuchOrganisation, field: "parent_id") }
            parent = found
        }
        if let parent, let known, tree.isBelow(parent.org, known.org) {
            throw Refusal(.invalidValue, field: "parent_id", .expected(.noCycle, Excerpt(parent.id.text)))
        }
        if let parent, tree.depth(of: parent) + (known?.height ?? 1) > OrgTree.deepest {
            throw Refusal(.invalidValue, field: "parent_id", .expected(.depth(OrgTree.deepest)))
        }
        if let known, ExactText(known.name) == ExactText(name), known.parent == parent?.org { return .updated }
        let org = known?.org ?? directory.nextOrg + UInt32(writes.organisations.count)
        let at = writes.takePosition()
        writes.organisations.append(.init(org: org, id: id, name: name, isRemoved: false, parent: parent?.org, at: at))
        if let known, known.parent != parent?.org, parent != nil {
            writes.jobs.append(.init(kind: .enter, subject: Int64(org), object: Int64(known.parent ?? 0), at: at))
        }
        return known == nil ? .created(secret: nil) : .updated
    }

    private mutating func remove(_ id: OrgID) throws(Refusal) -> ChangeResult {
        guard let node = directory.tree[id] else { throw Refusal(.noSuchOrganisation, field: "org_id") }
        let devices = findings.ownDevices[id] ?? 0
        guard devices == 0, node.children.isEmpty else {
            throw Refusal(.organisationInUse, field: "org_id", .holding(devices: devices, children: node.children.count))
        }
        // Whoever made an organisation of that name anew, elsewhere, would open it to the app, or to the operator.
        let namesHolders = directory.operators.seesAll(caller)
        if let app = directory.apps.values.lazy.filter({ $0.app.scope == id }).map(\.app.key).min(by: { $0.text < $1.text }) {
            throw Refusal(.organisationInUse, field: "org_id", namesHolders ? .scopeOf(app) : nil)
        }
        if let name = directory.operators.name(withScope: id) {
            throw Refusal(.organisationInUse, field: "org_id", namesHolders ? .scopeOfOperator(name) : nil)
        }
        let at = writes.takePosition()
        writes.organisations.append(.init(org: node.org, id: id, name: node.name, isRemoved: true, parent: nil, at: at))
        writes.jobs.append(.init(kind: .cancelAll, subject: Int64(node.org), object: 0, at: at))
        return .removed
    }

    // MARK: Devices

    private mutating func put(
        _ token: DeviceToken, _ fields: DeviceChange, _ secretIfNew: String?
    ) throws(Refusal) -> ChangeResult {
        guard let found = findings.devices[token] else {
            let (platform, id, secret) = try fields.required(secretIfNew: secretIfNew)
            let organisation = try organisation(id)
            let membership = Membership(
                organisation: organisation, user: user(fields, after: nil), platform: platform, test: fields.test ?? false)
            register(token, membership, SecretVerifier(secret: Array(secret.utf8)), fields.certificate.value(after: nil))
            return .created(secret: secret)
        }
        let before = found.membership
        let organisation = try fields.organisation.map { id throws(Refusal) in try self.organisation(id) } ?? before.organisation
        if let platform = fields.platform, platform != before.platform {
            throw Refusal(.invalidValue, field: "platform", .expected(.unchanged(before.platform.rawValue)))
        }
        let after = Membership(
            organisation: organisation, user: user(fields, after: before.user), platform: before.platform,
            test: fields.test ?? before.test)
        // The same secret again is no change, and closes no connection: an import may be repeated.
        let verifier = fields.secret.map { Array($0.utf8) }.flatMap { secret in
            found.verifier.accepts(secret) ? nil : SecretVerifier(secret: secret)
        }
        if before.user != nil && after.user != before.user {
            // A change of holder: what was pending is the old holder's.
            retire(Int64(found.ordinal))
            register(token, after, verifier ?? found.verifier, fields.certificate.value(after: nil))
            return .updated
        }
        if before != after { change(found, to: after) }
        let certificate = fields.certificate.value(after: verifier == nil ? found.certificate : nil)
        if verifier != nil || certificate != found.certificate {
            let closes = verifier != nil || found.certificate != nil
            writes.doors.append(
                .init(
                    ordinal: Int64(found.ordinal), verifier: verifier ?? found.verifier, certificate: certificate, closes: closes,
                    at: writes.takePosition()))
        }
        return .updated
    }

    private mutating func remove(_ token: DeviceToken) throws(Refusal) -> ChangeResult {
        guard let found = findings.devices[token] else { throw Refusal(.noSuchDevice, field: "device_token") }
        retire(Int64(found.ordinal))
        return .removed
    }

    private mutating func register(
        _ token: DeviceToken, _ membership: Membership, _ verifier: SecretVerifier, _ certificate: CertificateFingerprint?
    ) {
        let ordinal = writes.takeOrdinal()
        let at = writes.takePosition()
        writes.new.append(
            .init(ordinal: ordinal, token: token, membership: membership, verifier: verifier, certificate: certificate, at: at))
        writes.jobs.append(.init(kind: .enterAll, subject: ordinal, object: 0, at: at))
    }

    private mutating func retire(_ ordinal: Int64) {
        let at = writes.takePosition()
        writes.gone.append((ordinal, at))
        writes.jobs.append(.init(kind: .withdraw, subject: ordinal, object: 0, at: at))
    }

    private mutating func change(_ device: FoundDevice, to after: Membership) {
        let at = writes.takePosition()
        writes.changed.append(.init(ordinal: Int64(device.ordinal), membership: after, at: at))
        if device.membership.test && !after.test {
            writes.jobs.append(.init(kind: .withdrawTests, subject: Int64(device.ordinal), object: 0, at: at))
        }
        writes.jobs.append(
            .init(
                kind: .enterAll, subject: Int64(device.ordinal),
                object: Int64(bitPattern: FormerMembership(device.membership, now: after).number), at: at))
    }

    private func organisation(_ id: OrgID) throws(Refusal) -> OrgHandle {
        guard let node = directory.tree[id] else { throw Refusal(.noSuchOrganisation, field: "org_id") }
        return OrgHandle(index: node.org)
    }

    /// A user's number is given to it when a device names it for the first time.
    private mutating func user(_ fields: DeviceChange, after former: UserHandle?) -> UserHandle? {
        switch fields.user {
        case .keep: former
        case .clear: nil
        case .set(let id): UserHandle(raw: UInt64(bitPattern: findings.users[id] ?? writes.takeUser(id)))
        }
    }
}
