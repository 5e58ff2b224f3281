internal import Crypto
package import Push

// Changes of operators and of their sessions. What a change takes away it takes away at once: sessions end with it.

/// What a change of operators writes, in this order.
package struct OperatorWrites {
    /// Sessions that end before the operator is written.
    package var ended: [OperatorSession] = []
    /// An operator as it is from now on.
    package var written: Operator?
    package var removed: Operator?
    /// A session that begins, and those that end after the operator is written.
    package var begun: OperatorSession?
    package var withdrawn: [OperatorSession] = []
    /// What the caller is told.
    package let result: ChangeResult
}

extension OperatorBook {
    /// By what a change is judged.
    package struct Circumstances {
        /// Who calls; `nil` for the installation. Whether it may do that at all was judged before.
        package let caller: OperatorNumber?
        /// In store time.
        package let now: Int64
        /// What people see, in Unix milliseconds.
        package let timeOfDay: Int64
        /// The number of a new operator.
        package let nextNumber: OperatorNumber
        /// Whether there is an organisation of that name.
        package let isOrganisation: (OrgID) -> Bool

        package init(
            caller: OperatorNumber?, now: Int64, timeOfDay: Int64, nextNumber: OperatorNumber,
            isOrganisation: @escaping (OrgID) -> Bool
        ) {
            self.caller = caller
            self.now = now
            self.timeOfDay = timeOfDay
            self.nextNumber = nextNumber
            self.isOrganisation = isOrganisation
        }
    }

    /// What a change writes; nothing is changed by it here.
    package func decide(_ change: OperatorChange, _ given: Circumstances) throws(Refusal) -> OperatorWrites {
        switch change {
        case .put(let name, let fields): return try put(name, fields, given)
        case .remove(let name):
            let record = try record(of: name)
            var writes = OperatorWrites(result: .removed)
            (writes.ended, writes.removed) = (sessions(of: record.number), record)
            return writes
        case .setPassword(let password, let former, let kept):
            var record = try own(given.caller, showing: former)
            // It may have been withdrawn while the password was hashed.
            guard let session = self[session: kept], session.holder == record.number, session.expires > given.now else {
                throw Refusal(.wrongToken, field: "Authorization", .operatorToken)
            }
            record.password = password
            var writes = OperatorWrites(result: .updated)
            (writes.written, writes.withdrawn) = (record, sessions(of: record.number).filter { $0.key != kept })
            return writes
        case .logIn(let session, let password):
            return logIn(session, try own(given.caller, showing: password), at: given.now)
        case .logOut(let key):
            guard let caller = given.caller else { throw Refusal(.notPermitted, .noSession) }
            var writes = OperatorWrites(result: .removed)
            writes.ended = sessions(of: caller).filter { $0.key == key }
            return writes
        case .endSessions(let name, let id):
            let ended = sessions(of: try record(of: name).number).filter { id == nil || $0.id == id }
            if id != nil, ended.isEmpty { throw Refusal(.noSuchOperator, field: "session_id") }
            var writes = OperatorWrites(result: .removed)
            writes.ended = ended
            return writes
        }
    }

    private func put(
        _ name: OperatorName, _ fields: OperatorFields, _ given: Circumstances
    ) throws(Refusal) -> OperatorWrites {
        if case .set(let scope) = fields.scope, !given.isOrganisation(scope) {
            throw Refusal(.noSuchOrganisation, field: "org_id")
        }
        guard var record = self[name] else {
            guard count < Operator.most else {
                throw Refusal(.invalidValue, field: "name", .tooManyOperators(Operator.most))
            }
            var writes = OperatorWrites(result: .created(secret: nil))
            writes.written = try Operator(name, fields, number: given.nextNumber, at: given.timeOfDay)
            return writes
        }
        record.apply(fields)
        var writes = OperatorWrites(result: .updated)
        writes.written = record
        if record.losesSessions(by: fields) { writes.withdrawn = sessions(of: record.number) }
        return writes
    }

    private func logIn(_ session: OperatorSession, _ record: Operator, at now: Int64) -> OperatorWrites {
        var record = record
        let present = sessions(of: record.number)
        let over = present.filter { $0.expires <= now }
        let living = present.filter { $0.expires > now }
        var writes = OperatorWrites(result: .created(secret: nil))
        writes.ended = over + living.prefix(max(0, living.count + 1 - Operator.mostSessions))
        record.lastLogin = session.createdAt
        (writes.written, writes.begun) = (record, session)
        return writes
    }

    /// The operator who calls, who has shown that password. Between the loop that looked and this it may be another one.
    private func own(_ caller: OperatorNumber?, showing password: PasswordVerifier) throws(Refusal) -> Operator {
        guard let caller else { throw Refusal(.notPermitted, .noSession) }
        guard let record = self[caller], !record.disabled, record.password == password else {
            throw Refusal(.wrongToken, field: "password", .operatorPassword)
        }
        return record
    }

    private func record(of name: OperatorName) throws(Refusal) -> Operator {
        guard let record = self[name] else { throw Refusal(.noSuchOperator, field: "name") }
        return record
    }
}
