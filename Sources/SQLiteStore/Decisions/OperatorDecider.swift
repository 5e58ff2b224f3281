internal import Crypto
internal import Push

/// Changes of operators and of their sessions. What a change takes away it takes away at once: sessions end with it.
final class OperatorDecider {
    private let operators: OperatorMemory
    private let directory: DirectoryMemory
    private let time: Timekeeper
    private let feed: Feed

    init(_ operators: OperatorMemory, _ directory: DirectoryMemory, _ time: Timekeeper, _ feed: Feed) {
        self.operators = operators
        self.directory = directory
        self.time = time
        self.feed = feed
    }

    /// - Parameter caller: who calls; `nil` for the installation. Whether it may do that at all was judged before.
    func apply(_ change: OperatorChange, by caller: OperatorNumber?, at now: Int64) throws -> ChangeResult {
        switch change {
        case .put(let name, let fields): return try put(name, fields)
        case .remove(let name):
            let record = try record(of: name)
            try end(operators.sessions(of: record.number))
            try operators.remove(record)
            feed.operatorChanged(record.number, nil)
            return .removed
        case .setPassword(let password, let former, let kept):
            var record = try own(caller, showing: former)
            // It may have been withdrawn while the password was hashed.
            guard operators.sessions(of: record.number).contains(where: { $0.key == kept && $0.expires > now }) else {
                throw Refusal(.wrongToken, field: "Authorization", .operatorToken)
            }
            record.password = password
            try write(record)
            try end(operators.sessions(of: record.number).filter { $0.key != kept })
            return .updated
        case .logIn(let session, let password):
            try logIn(session, try own(caller, showing: password), at: now)
            return .created(secret: nil)
        case .logOut(let key):
            guard let caller else { throw Refusal(.notPermitted, .noSession) }
            try end(operators.sessions(of: caller).filter { $0.key == key })
            return .removed
        case .endSessions(let name, let id):
            let ended = operators.sessions(of: try record(of: name).number).filter { id == nil || $0.id == id }
            if id != nil, ended.isEmpty { throw Refusal(.noSuchOperator, field: "session_id") }
            try end(ended)
            return .removed
        }
    }

    /// Ends sessions whose time is over, so many at most.
    /// - Returns: how many.
    func endExpired(at now: Int64, limit: Int) throws(SQLiteError) -> Int {
        let over = operators.expiredSessions(at: now, limit: limit)
        try end(over)
        return over.count
    }

    private func put(_ name: OperatorName, _ fields: OperatorFields) throws -> ChangeResult {
        if case .set(let scope) = fields.scope, directory.tree[scope] == nil {
            throw Refusal(.noSuchOrganisation, field: "org_id")
        }
        guard var record = operators[name] else {
            guard operators.count < Operator.most else {
                throw Refusal(.invalidValue, field: "name", .tooManyOperators(Operator.most))
            }
            try write(try Operator(name, fields, number: try operators.nextNumber(), at: time.timeOfDay))
            return .created(secret: nil)
        }
        record.apply(fields)
        try write(record)
        if record.losesSessions(by: fields) { try end(operators.sessions(of: record.number)) }
        return .updated
    }

    private func logIn(_ session: OperatorSession, _ record: Operator, at now: Int64) throws {
        var record = record
        let present = operators.sessions(of: record.number)
        let over = present.filter { $0.expires <= now }
        let living = present.filter { $0.expires > now }
        try end(over + living.prefix(max(0, living.count + 1 - Operator.mostSessions)))
        record.lastLogin = session.createdAt
        try write(record)
        try operators.begin(session)
        feed.operatorSession(session.key, session)
    }

    /// The operator who calls, who has shown that password. Between the loop that looked and this it may be another one.
    private func own(_ caller: OperatorNumber?, showing password: PasswordVerifier) throws(Refusal) -> Operator {
        guard let caller else { throw Refusal(.notPermitted, .noSession) }
        guard let record = operators[caller], !record.disabled, record.password == password else {
            throw Refusal(.wrongToken, field: "password", .operatorPassword)
        }
        return record
    }

    private func record(of name: OperatorName) throws(Refusal) -> Operator {
        guard let record = operators[name] else { throw Refusal(.noSuchOperator, field: "name") }
        return record
    }

    private func write(_ record: Operator) throws(SQLiteError) {
        try operators.set(record)
        feed.operatorChanged(record.number, record)
    }

    private func end(_ sessions: [OperatorSession]) throws(SQLiteError) {
        for session in sessions {
            try operators.end(session.key)
            feed.operatorSession(session.key, nil)
        }
    }
}
