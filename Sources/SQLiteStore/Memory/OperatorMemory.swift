internal import Push

/// Operators and their sessions as decisions look at them: what the file holds, at this point of the transaction. Writer only.
final class OperatorMemory {
    private let table: OperatorTable
    private var byName: [OperatorName: Operator] = [:]
    private var sessions: [OperatorSessionKey: OperatorSession] = [:]

    init(_ table: OperatorTable) throws(SQLiteError) {
        self.table = table
        try reload()
    }

    /// Reads everything from the file: at start, and after a transaction that failed. All or, where it cannot be read, nothing.
    func reload() throws(SQLiteError) {
        let (operators, sessions) = (try table.all(), try table.sessions())
        byName = Dictionary(operators.map { ($0.name, $0) }) { _, last in last }
        self.sessions = Dictionary(sessions.map { ($0.key, $0) }) { _, last in last }
    }

    var all: [Operator] { Array(byName.values) }
    var allSessions: [OperatorSession] { Array(sessions.values) }

    subscript(name: OperatorName) -> Operator? { byName[name] }

    /// An operator's sessions, oldest first.
    func sessions(of name: OperatorName) -> [OperatorSession] {
        sessions.values.filter { $0.name == name }
            .sorted { ($0.createdAt, $0.id.text) < ($1.createdAt, $1.id.text) }
    }

    /// An operator whose scope an organisation is, the first by name.
    func name(withScope id: OrgID) -> OperatorName? {
        byName.values.lazy.filter { $0.authority.scope == id }.map(\.name).min { $0.text < $1.text }
    }

    // MARK: Changes, here and in the file

    func set(_ one: Operator) throws(SQLiteError) {
        try table.write(one)
        byName[one.name] = one
    }

    func remove(_ name: OperatorName) throws(SQLiteError) {
        try table.remove(name)
        byName[name] = nil
    }

    func begin(_ session: OperatorSession) throws(SQLiteError) {
        try table.insert(session)
        sessions[session.key] = session
    }

    func end(_ key: OperatorSessionKey) throws(SQLiteError) {
        try table.remove(key)
        sessions[key] = nil
    }
}
