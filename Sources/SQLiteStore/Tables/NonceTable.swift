/// `nonce`: what signed requests have used up, in the order in which it may be forgotten. Rows come at its end and go at its
/// beginning.
final class NonceTable {
    private let database: Database

    init(_ database: Database) { self.database = database }

    func insert(_ hash: Int64, until time: Int64) throws(SQLiteError) {
        let insert = try database.statement("INSERT OR IGNORE INTO nonce(valid_until, hash) VALUES(?, ?)")
        insert.bind(1, time)
        insert.bind(2, hash)
        try insert.run()
    }

    /// Removes so many of those that were to be remembered up to that time at most.
    func remove(through time: Int64, limit: Int) throws(SQLiteError) {
        let remove = try database.statement(
            """
            DELETE FROM nonce WHERE (valid_until, hash) IN (
              SELECT valid_until, hash FROM nonce WHERE valid_until <= ? ORDER BY valid_until, hash LIMIT ?)
            """)
        remove.bind(1, time)
        remove.bind(2, limit)
        try remove.run()
    }

    /// Calls `body` with each that is to be remembered after that time.
    func forEach(after time: Int64, _ body: (_ until: Int64, _ hash: Int64) -> Void) throws(SQLiteError) {
        let query = try database.statement("SELECT valid_until, hash FROM nonce WHERE valid_until > ?")
        query.bind(1, time)
        while try query.step() { body(query.int(0), query.int(1)) }
    }
}
