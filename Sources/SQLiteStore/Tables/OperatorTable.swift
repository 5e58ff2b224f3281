internal import Base
internal import Crypto
internal import Push

/// `operator` and `operator_session`: who operates the server, and who has logged in.
final class OperatorTable {
    private let database: Database

    init(_ database: Database) { self.database = database }

    // MARK: Operators

    func all() throws(SQLiteError) -> [Operator] {
        let query = try database.statement(
            "SELECT number, name, display_name, role, scope, disabled, password, created, last_login FROM operator")
        var found: [Operator] = []
        while try query.step() {
            guard let role = Role(rawValue: Int(query.int(3))), let password = PasswordVerifier(query.text(6)) else {
                throw SQLiteError.unreadable("the operator \(query.text(1)) cannot be read")
            }
            found.append(
                Operator(
                    number: OperatorNumber(query.int(0)), name: OperatorName(unchecked: query.text(1)),
                    displayName: query.text(2),
                    authority: Authority(role, in: query.optionalText(4).map { OrgID(unchecked: $0) }),
                    disabled: query.int(5) != 0, password: password, createdAt: query.int(7), lastLogin: query.optionalInt(8)))
        }
        return found
    }

    func write(_ one: Operator) throws(SQLiteError) {
        let write = try database.statement(
            """
            INSERT OR REPLACE INTO operator(number, name, display_name, role, scope, disabled, password, created, last_login)
            VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?)
            """)
        write.bind(1, one.number.value)
        write.bind(2, one.name.text)
        write.bind(3, one.displayName)
        write.bind(4, one.authority.role.rawValue)
        write.bind(5, one.authority.scope?.text)
        write.bind(6, one.disabled ? 1 : 0)
        write.bind(7, one.password.text)
        write.bind(8, one.createdAt)
        write.bind(9, one.lastLogin)
        try write.run()
    }

    /// The number of the next new one. The table remembers the highest that it has ever held.
    func nextNumber() throws(SQLiteError) -> OperatorNumber {
        OperatorNumber(try database.number("SELECT seq + 1 FROM sqlite_sequence WHERE name = 'operator'") ?? 1)
    }

    func remove(_ number: OperatorNumber) throws(SQLiteError) {
        let remove = try database.statement("DELETE FROM operator WHERE number = ?")
        remove.bind(1, number.value)
        try remove.run()
    }

    // MARK: Sessions

    func sessions() throws(SQLiteError) -> [OperatorSession] {
        let query = try database.statement("SELECT key, holder, created, expires, client FROM operator_session")
        var found: [OperatorSession] = []
        while try query.step() {
            found.append(
                OperatorSession(
                    key: OperatorSessionKey(digest: query.blob(0)), holder: OperatorNumber(query.int(1)),
                    createdAt: query.int(2), expires: query.int(3), client: query.optionalText(4).flatMap { IPAddress($0) }))
        }
        return found
    }

    func insert(_ session: OperatorSession) throws(SQLiteError) {
        let insert = try database.statement(
            "INSERT INTO operator_session(key, holder, created, expires, client) VALUES(?, ?, ?, ?, ?)")
        insert.bind(1, session.key.digest)
        insert.bind(2, session.holder.value)
        insert.bind(3, session.createdAt)
        insert.bind(4, session.expires)
        insert.bind(5, session.client?.description)
        try insert.run()
    }

    func removeSessions() throws(SQLiteError) { try database.statement("DELETE FROM operator_session").run() }

    func remove(_ key: OperatorSessionKey) throws(SQLiteError) {
        let remove = try database.statement("DELETE FROM operator_session WHERE key = ?")
        remove.bind(1, key.digest)
        try remove.run()
    }
}
