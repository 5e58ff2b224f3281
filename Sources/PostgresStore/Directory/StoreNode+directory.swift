internal import Base
internal import Crypto
internal import Postgres
internal import Push
internal import StoreCore

// Changes of the directory: decided here by what this node knows, written if that is still so, and told when every node has
// applied them.

/// A change that waits for its turn: one after the other, as each is decided by what the one before has left.
struct PendingChange: Sendable {
    let change: DirectoryChange
    let answer: @Sendable (Result<ChangeResult, StoreError>) -> Void
}

extension StoreNode {
    func apply(_ change: DirectoryChange) async throws(StoreError) -> ChangeResult {
        let outcome = await withAnswer { (answer: AnswerContinuation<Result<ChangeResult, StoreError>>) in
            if changes.add(PendingChange(change: change, answer: { answer.resume(returning: $0) })) {
                work { await $0.applyAll() }
            }
        }
        return try outcome.get()
    }

    private func applyAll() async {
        while let next = changes.next(atMost: 1).first {
            do throws(StoreError) {
                let (result, position) = try await write(next.change)
                guard let position else {
                    next.answer(.success(result))
                    continue
                }
                // Others may go on meanwhile.
                work { node in
                    do throws(StoreError) {
                        try await node.untilApplied(position)
                        next.answer(.success(result))
                    } catch {
                        next.answer(.failure(error))
                    }
                }
            } catch {
                next.answer(.failure(error))
            }
        }
    }

    /// - Returns: what it did, and the position that every node has to apply; none where it changes nothing.
    private func write(_ change: DirectoryChange) async throws(StoreError) -> (ChangeResult, position: UInt64?) {
        while !isClosing {
            try await untilFollowed(directory.version)
            let version = directory.version
            let (writes, result) = try await decide(change)
            guard writes.positions > 0 else { return (result, nil) }
            let rows = try self.result(
                await timely(lane, Statements.changeDirectory, { writes.append(to: &$0, expecting: version) }))
            guard let now = (try? rows.int8(0, 1)) ?? nil, let hasJobs = (try? rows.bool(0, 2)) ?? nil else { throw .unknown }
            directory.version = now
            bell.ring()
            if let head = (try? rows.int8(0, 0)) ?? nil {
                return (result, hasJobs ? max(UInt64(bitPattern: head), try await followUp()) : UInt64(bitPattern: head))
            }
            // What follows from another change comes first, or another node was faster: decided anew by what holds then.
            if hasJobs { try await untilFollowedUp() }
        }
        throw .unavailable(retryAfter: retryAfter)
    }

    /// Until this node knows the directory as of a version.
    func untilFollowed(_ version: Int64) async throws(StoreError) {
        while head < UInt64(bitPattern: version) {
            if isClosing { throw .unavailable(retryAfter: retryAfter) }
            bell.ring()
            await appliedBell.wait(atMost: options.pause)
        }
    }

    private func decide(_ change: DirectoryChange) async throws(StoreError) -> (DirectoryWrites, ChangeResult) {
        var writes = DirectoryWrites()
        do {
            let result: ChangeResult =
                switch change {
                case .putApp(let key, let fields, let secret): try put(key, fields, secret, &writes)
                case .rotateSecret(let key, let secret, let again):
                    try self.change(key, &writes, result: .created(secret: secret)) { app throws(Refusal) in
                        try app.rotateSecret(to: secret, again: again)
                    }
                case .dropFormerSecret(let key):
                    try self.change(key, &writes, result: .removed) { app throws(Refusal) in app.dropFormerSecret() }
                case .removeApp(let key): try removeApp(key, &writes)
                case .putOrganisation(let id, let fields): try put(id, fields, &writes)
                case .removeOrganisation(let id): try await remove(id, &writes)
                case .putDevice(let token, let fields, let secret): try await put(token, fields, secret, &writes)
                case .removeDevice(let token): try await remove(token, &writes)
                }
            return (writes, result)
        } catch let refusal as Refusal {
            throw .refused(refusal)
        } catch let error as StoreError {
            throw error
        } catch {
            options.log("the directory cannot be read: \(error)")
            throw .unavailable(retryAfter: retryAfter)
        }
    }

    // MARK: Apps

    private func put(
        _ key: AppKey, _ fields: AppChange, _ secretIfNew: String?, _ writes: inout DirectoryWrites
    ) throws(Refusal) -> ChangeResult {
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

    private func change(
        _ key: AppKey, _ writes: inout DirectoryWrites, result: ChangeResult, _ body: (inout App) throws(Refusal) -> Void
    ) throws(Refusal) -> ChangeResult {
        guard let known = directory.apps[key] else { throw Refusal(.noSuchApp, field: "appkey") }
        var app = known.app
        try body(&app)
        writes.apps.append(.init(number: known.number, app: app, isRemoved: false, at: writes.takePosition()))
        return result
    }

    private func removeApp(_ key: AppKey, _ writes: inout DirectoryWrites) throws(Refusal) -> ChangeResult {
        guard let known = directory.apps[key] else { throw Refusal(.noSuchApp, field: "appkey") }
        writes.apps.append(.init(number: known.number, app: known.app, isRemoved: true, at: writes.takePosition()))
        return .removed
    }

    // MARK: Organisations

    private func put(_ id: OrgID, _ fields: OrganisationChange, _ writes: inout DirectoryWrites) throws(Refusal) -> ChangeResult {
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
        let org = known?.org ?? directory.nextOrg
        let at = writes.takePosition()
        writes.organisations.append(.init(org: org, id: id, name: name, isRemoved: false, parent: parent?.org, at: at))
        if let known, known.parent != parent?.org, parent != nil {
            writes.jobs.append(.init(kind: .enter, subject: Int64(org), object: Int64(known.parent ?? 0), at: at))
        }
        return known == nil ? .created(secret: nil) : .updated
    }

    private func remove(_ id: OrgID, _ writes: inout DirectoryWrites) async throws -> ChangeResult {
        guard let node = directory.tree[id] else { throw Refusal(.noSuchOrganisation, field: "org_id") }
        var arguments = PostgresArguments()
        arguments.append(int4: Int32(bitPattern: node.org))
        let devices = Int(try await ask(reads, Statements.ownDevices, arguments).present8(0, 0))
        guard devices == 0, node.children.isEmpty else {
            throw Refusal(.organisationInUse, field: "org_id", .holding(devices: devices, children: node.children.count))
        }
        if let app = directory.apps.values.lazy.filter({ $0.app.scope == id }).map(\.app.key).min(by: { $0.text < $1.text }) {
            throw Refusal(.organisationInUse, field: "org_id", .scopeOf(app))
        }
        let at = writes.takePosition()
        writes.organisations.append(.init(org: node.org, id: id, name: node.name, isRemoved: true, parent: nil, at: at))
        writes.jobs.append(.init(kind: .cancelAll, subject: Int64(node.org), object: 0, at: at))
        return .removed
    }

    // MARK: Devices

    private func put(
        _ token: DeviceToken, _ fields: DeviceChange, _ secretIfNew: String?, _ writes: inout DirectoryWrites
    ) async throws -> ChangeResult {
        let found = try await device(token)
        let user: UserHandle? =
            switch fields.user {
            case .keep: found?.membership.user
            case .clear: nil
            case .set(let id): try await handle(of: id, &writes)
            }
        guard let found else {
            let (platform, id, secret) = try fields.required(secretIfNew: secretIfNew)
            let membership = Membership(
                organisation: try organisation(id), user: user, platform: platform, test: fields.test ?? false)
            register(token, membership, SecretVerifier(secret: Array(secret.utf8)), fields.certificate.value(after: nil), &writes)
            return .created(secret: secret)
        }
        let before = found.membership
        if let platform = fields.platform, platform != before.platform {
            throw Refusal(.invalidValue, field: "platform", .expected(.unchanged(before.platform.rawValue)))
        }
        let after = Membership(
            organisation: try fields.organisation.map { id throws(Refusal) in try organisation(id) } ?? before.organisation,
            user: user, platform: before.platform, test: fields.test ?? before.test)
        let verifier = fields.secret.map { Array($0.utf8) }.flatMap { secret in
            found.verifier.accepts(secret) ? nil : SecretVerifier(secret: secret)
        }
        if before.user != nil && user != before.user {
            // A change of holder: what was pending is the old holder's.
            retire(Int64(found.ordinal), &writes)
            register(token, after, verifier ?? found.verifier, fields.certificate.value(after: nil), &writes)
            return .updated
        }
        if before != after { change(found, to: after, &writes) }
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

    private func remove(_ token: DeviceToken, _ writes: inout DirectoryWrites) async throws -> ChangeResult {
        guard let found = try await device(token) else { throw Refusal(.noSuchDevice, field: "device_token") }
        retire(Int64(found.ordinal), &writes)
        return .removed
    }

    private func register(
        _ token: DeviceToken, _ membership: Membership, _ verifier: SecretVerifier, _ certificate: CertificateFingerprint?,
        _ writes: inout DirectoryWrites
    ) {
        let ordinal = writes.takeOrdinal()
        let at = writes.takePosition()
        writes.new.append(
            .init(ordinal: ordinal, token: token, membership: membership, verifier: verifier, certificate: certificate, at: at))
        writes.jobs.append(.init(kind: .enterAll, subject: ordinal, object: 0, at: at))
    }

    private func retire(_ ordinal: Int64, _ writes: inout DirectoryWrites) {
        let at = writes.takePosition()
        writes.gone.append((ordinal, at))
        writes.jobs.append(.init(kind: .withdraw, subject: ordinal, object: 0, at: at))
    }

    private func change(_ device: FoundDevice, to after: Membership, _ writes: inout DirectoryWrites) {
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

    private func device(_ token: DeviceToken) async throws -> FoundDevice? {
        var arguments = PostgresArguments()
        arguments.append(byteaArray: [Array(token.text.utf8)])
        arguments.append(int8Array: [StableHash.of(token.text)])
        let rows = try await ask(reads, Statements.findDevices, arguments)
        return rows.count == 0 ? nil : try FoundDevice(rows, 0)
    }

    private func organisation(_ id: OrgID) throws(Refusal) -> OrgHandle {
        guard let node = directory.tree[id] else { throw Refusal(.noSuchOrganisation, field: "org_id") }
        return OrgHandle(index: node.org)
    }

    /// A user's number, given to it when a device names it for the first time.
    private func handle(of id: UserID, _ writes: inout DirectoryWrites) async throws -> UserHandle {
        var arguments = PostgresArguments()
        arguments.append(byteaArray: [Array(id.text.utf8)])
        let rows = try await ask(reads, Statements.users, arguments)
        if rows.count > 0 { return UserHandle(raw: UInt64(bitPattern: try rows.present8(0, 1))) }
        return UserHandle(raw: UInt64(bitPattern: writes.takeUser(id)))
    }
}
