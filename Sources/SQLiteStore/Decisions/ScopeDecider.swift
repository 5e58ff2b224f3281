internal import Push
internal import StoreCore

/// What an operator may touch, by what is known of the operator at this point of the transaction: between the request's head and
/// the decision it may have been removed, or have another role or scope. What is outside of its scope does not exist for it.
///
/// `nil` stands for the installation, which may do everything.
final class ScopeDecider {
    private let operators: OperatorMemory
    private let directory: DirectoryMemory
    private let tables: Tables

    init(_ operators: OperatorMemory, _ directory: DirectoryMemory, _ tables: Tables) {
        self.operators = operators
        self.directory = directory
        self.tables = tables
    }

    // MARK: Who

    /// - Returns: the scope; `nil` for none.
    /// - Throws: 2011 where the operator has not that role any more.
    func require(_ role: Role, of number: OperatorNumber?) throws(Refusal) -> OrgID? {
        try operators.book.require(role, of: number)
    }

    func requireUnscoped(_ role: Role, of number: OperatorNumber?) throws(Refusal) {
        try operators.book.requireUnscoped(role, of: number)
    }

    /// Whether there is nothing that does not exist for the operator.
    func seesAll(_ number: OperatorNumber?) -> Bool { operators.book.seesAll(number) }

    // MARK: What

    func permit(_ change: DirectoryChange, to number: OperatorNumber?) throws {
        guard let scope = try require(.administrator, of: number) else { return }
        switch change {
        case .putApp, .rotateSecret, .dropFormerSecret, .removeApp: throw Refusal(.notPermitted, .unscoped)
        case .putOrganisation(let id, let fields): try directory.tree.permitPut(id, fields, in: scope)
        case .removeOrganisation(let id): try directory.tree.permitRemoving(id, in: scope)
        case .putDevice(let token, let fields, _): try permitPut(token, fields, in: scope)
        case .removeDevice(let token): try requireInside(token, scope)
        }
    }

    func permit(_ change: OperatorChange, to number: OperatorNumber?) throws(Refusal) {
        try operators.book.permit(change, to: number)
    }

    /// - Parameter row: of the task; `nil` where there is none.
    func permitCancelling(_ row: StoredRow?, to number: OperatorNumber?) throws {
        guard let scope = try require(.sender, of: number), let row else { return }
        guard try isInside(row, scope) else { throw Refusal(.noSuchTask, field: "task_id") }
    }

    func permitDisconnecting(_ token: DeviceToken, to number: OperatorNumber?) throws {
        guard let scope = try require(.sender, of: number) else { return }
        try requireInside(token, scope)
    }

    // MARK: Pushes

    /// Whether an operator may push on behalf of an app: in an organisation that both have in common.
    /// - Returns: the operator's scope; `nil` for none.
    /// - Throws: 2011, 2206.
    func permitPushing(for key: AppKey, to number: OperatorNumber?) throws(Refusal) -> OrgID? {
        let scope = try require(.sender, of: number)
        guard let app = directory.apps[key]?.app, directory.tree.haveInCommon(app.scope, scope) else {
            throw Refusal(.noSuchApp, field: "appkey")
        }
        return scope
    }

    /// A user is inside where all of its devices are, as its tasks are.
    /// - Parameter seq: where the task would be accepted.
    func requireInside(_ target: PushRequest.Target, _ scope: OrgID, at seq: UInt64) throws {
        switch target {
        case .device(let token):
            guard let device = try directory.addressee(token), directory.isInside(device.org, scope) else {
                throw Refusal(.noSuchDevice, field: "device_tokens")
            }
        case .user(let user):
            guard let number = try tables.users.number(of: user),
                try tables.isInside(.user(number), at: seq, { directory.isInside($0, scope) })
            else { throw Refusal(.userHasNoDevice, field: "user_id") }
        case .organisation(let id): try directory.tree.requireInside(id, scope, "org_id")
        }
    }

    // MARK: In the directory

    private func permitPut(_ token: DeviceToken, _ fields: DeviceChange, in scope: OrgID) throws {
        let device = try tables.devices.find(token)
        if let device, !directory.isInside(device.membership.organisation.index, scope) {
            throw Refusal(.noSuchDevice, field: "device_token")
        }
        if let organisation = fields.organisation { try directory.tree.requireInside(organisation, scope, "org_id") }
        // Whoever is put in the place of somebody outside would get what is, or was, addressed to that person: also where that
        // person's devices are gone. Of a user who has never had a device nothing is known, and nothing was addressed to it.
        guard case .set(let user) = fields.user, let number = try tables.users.number(of: user) else { return }
        if device?.membership.user?.number == number { return }
        guard try tables.wasAlwaysInside(user: number, { directory.isInside($0, scope) }) else {
            throw Refusal(.userHasNoDevice, field: "user_id")
        }
    }

    private func requireInside(_ token: DeviceToken, _ scope: OrgID) throws {
        guard let device = try tables.devices.find(token), directory.isInside(device.membership.organisation.index, scope) else {
            throw Refusal(.noSuchDevice, field: "device_token")
        }
    }

    func isInside(_ row: StoredRow, _ scope: OrgID) throws(SQLiteError) -> Bool {
        try tables.isInside(row.target, at: row.seq) { directory.isInside($0, scope) }
    }
}
