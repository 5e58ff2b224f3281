internal import Push

/// `holder`: every user that a device has or had, as long as anything that is kept may name it.
final class UserTable {
    private let database: Database

    init(_ database: Database) { self.database = database }

    /// A user's number; `nil` if no device has or had that user.
    func number(of id: UserID) throws(SQLiteError) -> Int64? {
        let query = try database.statement("SELECT user FROM holder WHERE user_id = ?")
        query.bind(1, id.text)
        guard try query.step() else { return nil }
        defer { query.reset() }
        return query.int(0)
    }

    func id(of user: Int64) throws(SQLiteError) -> UserID? {
        let query = try database.statement("SELECT user_id FROM holder WHERE user = ?")
        query.bind(1, user)
        guard try query.step() else { return nil }
        defer { query.reset() }
        return UserID(unchecked: query.text(0))
    }

    func insert(_ id: UserID, as user: Int64) throws(SQLiteError) {
        let insert = try database.statement("INSERT INTO holder(user, user_id) VALUES(?, ?)")
        insert.bind(1, user)
        insert.bind(2, id.text)
        try insert.run()
    }

    func highest() throws(SQLiteError) -> Int64 { try database.number("SELECT max(user) FROM holder") ?? 0 }
}
