internal import Push

/// Operators and their sessions as decisions look at them: what the file holds, at this point of the transaction. Writer only.
final class OperatorMemory {
    private let table: OperatorTable
    private var byNumber: [OperatorNumber: Operator] = [:]
    private var numbers: [OperatorName: OperatorNumber] = [:]
    private var sessions: [OperatorSessionKey: OperatorSession] = [:]

    init(_ table: OperatorTable) throws(SQLiteError) {
        self.table = table
        try reload()
    }

    /// Reads everything from the file: at start, and after a transaction that failed. All or, where it cannot be read, nothing.
    func reload() throws(SQLiteError) {
        let (operators, sessions) = (try table.all(), try table.sessions())
        byNumber = Dictionary(operators.map { ($0.number, $0) }) { _, last in last }
        numbers = Dictionary(operators.map { ($0.name, $0.number) }) { _, last in last }
        self.sessions = Dictionary(sessions.map { ($0.key, $0) }) { _, last in last }
    }

    var count: Int { byNumber.count }
    var all: [Operator] { Array(byNumber.values) }
    var allSessions: [OperatorSession] { Array(sessions.values) }

    subscript(number: OperatorNumber) -> Operator? { byNumber[number] }
    /// Who has that name now.
    subscript(name: OperatorName) -> Operator? { numbers[name].flatMap { byNumber[$0] } }

    /// An operator's sessions, oldest first.
    func sessions(of holder: OperatorNumber) -> [OperatorSession] {
        sessions.values.filter { $0.holder == holder }
            .sorted { ($0.createdAt, $0.id.text) < ($1.createdAt, $1.id.text) }
    }

    /// Sessions whose time is over, so many at most.
    func expiredSessions(at now: Int64, limit: Int) -> [OperatorSession] {
        Array(sessions.values.lazy.filter { $0.expires <= now }.prefix(limit))
    }

    /// An operator whose scope an organisation is, the first by name.
    func name(withScope id: OrgID) -> OperatorName? {
        byNumber.values.lazy.filter { $0.authority.scope == id }.map(\.name).min { $0.text < $1.text }
    }

    // MARK: Changes, here and in the file

    /// The number of a new one: never given before, never given again.
    func nextNumber() throws(SQLiteError) -> OperatorNumber { try table.nextNumber() }

    func set(_ one: Operator) throws(SQLiteError) {
        try table.write(one)
        byNumber[one.number] = one
        numbers[one.name] = one.number
    }

    func remove(_ one: Operator) throws(SQLiteError) {
        try table.remove(one.number)
        byNumber[one.number] = nil
        numbers[one.name] = nil
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
