/// `meta`: single numbers of the store.
final class MetaTable {
    private let database: Database

    init(_ database: Database) { self.database = database }

    enum Key: String {
        /// The newest position that was given out, where no row tells it.
        case head
        /// When the files of an older version had been written last, by the wall clock, until store time has begun.
        case lastWritten = "last_written"
        /// The highest ordinal that was given out, and the highest numbers of an organisation and of a user.
        case ordinal
        case organisation
        case user
        /// The version of the newest configuration.
        case configurationVersion = "config_version"
        /// The trailing indexes hold every row up to there.
        case indexedUpTo = "indexed_upto"
    }

    /// `nil` where none was written yet.
    func number(_ key: Key) throws(SQLiteError) -> Int64? {
        let query = try database.statement("SELECT value FROM meta WHERE key = ?")
        query.bind(1, key.rawValue)
        guard try query.step() else { return nil }
        defer { query.reset() }
        return query.optionalInt(0)
    }

    func remove(_ key: Key) throws(SQLiteError) {
        let remove = try database.statement("DELETE FROM meta WHERE key = ?")
        remove.bind(1, key.rawValue)
        try remove.run()
    }

    func write(_ key: Key, _ value: Int64) throws(SQLiteError) {
        let write = try database.statement("INSERT OR REPLACE INTO meta(key, value) VALUES(?, ?)")
        write.bind(1, key.rawValue)
        write.bind(2, value)
        try write.run()
    }
}
