/// `nonce`: what signed requests have used up, by their own times, in the order in which it may be forgotten: rows come at its
/// end and go at its beginning. And `nonce_forgotten`: the periods of which it was.
final class NonceTable {
    private let database: Database

    init(_ database: Database) { self.database = database }

    func insert(_ hash: Int64, of timestamp: Int64) throws(SQLiteError) {
        let insert = try database.statement("INSERT OR IGNORE INTO nonce(timestamp, hash) VALUES(?, ?)")
        insert.bind(1, timestamp)
        insert.bind(2, hash)
        try insert.run()
    }

    /// Removes some of those times.
    /// - Returns: how many.
    func remove(_ times: ClosedRange<Int64>, limit: Int) throws(SQLiteError) -> Int {
        let remove = try database.statement(
            """
            DELETE FROM nonce WHERE (timestamp, hash) IN (
              SELECT timestamp, hash FROM nonce WHERE timestamp BETWEEN ? AND ? ORDER BY timestamp, hash LIMIT ?)
            """)
        remove.bind(1, times.lowerBound)
        remove.bind(2, times.upperBound)
        remove.bind(3, limit)
        try remove.run()
        return database.changes
    }

    /// Calls `body` with each.
    func forEach(_ body: (_ timestamp: Int64, _ hash: Int64) -> Void) throws(SQLiteError) {
        let query = try database.statement("SELECT timestamp, hash FROM nonce")
        while try query.step() { body(query.int(0), query.int(1)) }
    }

    /// The periods whose nonces were forgotten, oldest first.
    func forgotten() throws(SQLiteError) -> [ClosedRange<Int64>] {
        let query = try database.statement("SELECT first, last FROM nonce_forgotten ORDER BY first")
        var found: [ClosedRange<Int64>] = []
        while try query.step() { found.append(query.int(0)...max(query.int(0), query.int(1))) }
        return found
    }

    /// Writes all of them: there are few.
    func write(_ forgotten: [ClosedRange<Int64>]) throws(SQLiteError) {
        try database.statement("DELETE FROM nonce_forgotten").run()
        let insert = try database.statement("INSERT INTO nonce_forgotten(first, last) VALUES(?, ?)")
        for range in forgotten {
            insert.bind(1, range.lowerBound)
            insert.bind(2, range.upperBound)
            try insert.run()
        }
    }
}
