package import Push

/// Operators and their sessions as decisions look at them: few, so that all of them are at hand.
package struct OperatorBook {
    private var byNumber: [OperatorNumber: Operator] = [:]
    private var numbers: [OperatorName: OperatorNumber] = [:]
    private var sessions: [OperatorSessionKey: OperatorSession] = [:]

    /// Those that a store keeps.
    package init(_ operators: [Operator] = [], sessions: [OperatorSession] = []) {
        byNumber = Dictionary(operators.map { ($0.number, $0) }) { _, last in last }
        numbers = Dictionary(operators.map { ($0.name, $0.number) }) { _, last in last }
        self.sessions = Dictionary(sessions.map { ($0.key, $0) }) { _, last in last }
    }

    package var count: Int { byNumber.count }
    package var all: [Operator] { Array(byNumber.values) }
    package var allSessions: [OperatorSession] { Array(sessions.values) }

    package subscript(number: OperatorNumber) -> Operator? { byNumber[number] }
    /// Who has that name now.
    package subscript(name: OperatorName) -> Operator? { numbers[name].flatMap { byNumber[$0] } }
    package subscript(session key: OperatorSessionKey) -> OperatorSession? { sessions[key] }

    /// An operator's sessions, oldest first.
    package func sessions(of holder: OperatorNumber) -> [OperatorSession] {
        sessions.values.filter { $0.holder == holder }
            .sorted { ($0.createdAt, $0.id.text) < ($1.createdAt, $1.id.text) }
    }

    /// Sessions whose time is over, so many at most.
    package func expiredSessions(at now: Int64, limit: Int) -> [OperatorSession] {
        Array(sessions.values.lazy.filter { $0.expires <= now }.prefix(limit))
    }

    /// An operator whose scope an organisation is, the first by name.
    package func name(withScope id: OrgID) -> OperatorName? {
        byNumber.values.lazy.filter { $0.authority.scope == id }.map(\.name).min { $0.text < $1.text }
    }

    // MARK: Who may

    /// What an operator may touch; `nil` stands for the installation, which may do everything.
    /// - Returns: the scope; `nil` for none.
    /// - Throws: 2011 where the operator has not that role any more.
    package func require(_ role: Role, of number: OperatorNumber?) throws(Refusal) -> OrgID? {
        guard let number else { return nil }
        guard let record = self[number], !record.disabled, record.authority.role >= role else {
            throw Refusal(.notPermitted, .role(role))
        }
        return record.authority.scope
    }

    package func requireUnscoped(_ role: Role, of number: OperatorNumber?) throws(Refusal) {
        guard try require(role, of: number) == nil else { throw Refusal(.notPermitted, .unscoped) }
    }

    /// To what an operator is confined, whatever it may do; `nil` where it is not, or is nobody any more.
    package func scope(of number: OperatorNumber?) -> OrgID? { number.flatMap { self[$0]?.authority.scope } }

    /// Whether there is nothing that does not exist for the operator.
    package func seesAll(_ number: OperatorNumber?) -> Bool {
        number.map { self[$0].map { $0.authority.scope == nil } ?? false } ?? true
    }

    /// An operator may call for its own sessions; for anything else it takes an administrator without a scope.
    package func permit(_ change: OperatorChange, to number: OperatorNumber?) throws(Refusal) {
        switch change {
        case .put, .remove, .endSessions: try requireUnscoped(.administrator, of: number)
        case .setPassword, .logIn, .logOut: break
        }
    }

    // MARK: What was changed

    package mutating func set(_ one: Operator) {
        byNumber[one.number] = one
        numbers[one.name] = one.number
    }

    package mutating func remove(_ number: OperatorNumber) {
        guard let one = byNumber.removeValue(forKey: number) else { return }
        if numbers[one.name] == number { numbers[one.name] = nil }
    }

    package mutating func begin(_ session: OperatorSession) { sessions[session.key] = session }

    package mutating func end(_ key: OperatorSessionKey) { sessions[key] = nil }
}
