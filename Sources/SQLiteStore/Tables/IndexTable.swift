internal import Base
internal import StoreCore

/// `target_index`, `biz_index`, `tag_index`: the log in other orders. They trail behind it; what they lack is in the ``Tail``.
final class IndexTable {
    private let database: Database

    init(_ database: Database) { self.database = database }

    // MARK: Questions: positions, ascending

    /// Of rows to a target, after `after` and before `before`.
    func positions(of target: TargetKey, after: UInt64, before: UInt64, limit: Int) throws(SQLiteError) -> [UInt64] {
        let query = try database.statement(
            "SELECT seq FROM target_index WHERE target = ? AND seq > ? AND seq < ? ORDER BY seq LIMIT ?")
        query.bind(1, target.raw)
        query.bind(2, after)
        query.bind(3, before)
        query.bind(4, limit)
        return try positions(query)
    }

    /// Of an app's rows whose `out_biz_no` has that ``StableHash``.
    func positions(ofApp app: Int64, bizHash: Int64) throws(SQLiteError) -> [UInt64] {
        let query = try database.statement("SELECT seq FROM biz_index WHERE app = ? AND hash = ? ORDER BY seq")
        query.bind(1, app)
        query.bind(2, bizHash)
        return try positions(query)
    }

    /// Of an app's tasks with a tag, after `after` and before `before`.
    func positions(
        ofApp app: Int64, tag: ExactText, after: UInt64, before: UInt64, limit: Int
    ) throws(SQLiteError) -> [UInt64] {
        let query = try database.statement(
            "SELECT seq FROM tag_index WHERE app = ? AND tag = ? AND seq > ? AND seq < ? ORDER BY seq LIMIT ?")
        query.bind(1, app)
        query.bind(2, tag)
        query.bind(3, after)
        query.bind(4, before)
        query.bind(5, limit)
        return try positions(query)
    }

    /// Of an app's tasks with a tag, before `before`: the newest, which come first.
    func positions(ofApp app: Int64, tag: ExactText, before: UInt64, limit: Int) throws(SQLiteError) -> [UInt64] {
        let query = try database.statement(
            "SELECT seq FROM tag_index WHERE app = ? AND tag = ? AND seq < ? ORDER BY seq DESC LIMIT ?")
        query.bind(1, app)
        query.bind(2, tag)
        query.bind(3, before)
        query.bind(4, limit)
        return try positions(query)
    }

    private func positions(_ query: Statement) throws(SQLiteError) -> [UInt64] {
        var found: [UInt64] = []
        while try query.step() { found.append(query.position(0)) }
        return found
    }

    // MARK: Filling: sorted entries; what is there already is left as it is

    func insert(_ entries: ArraySlice<(target: Int64, seq: UInt64)>) throws(SQLiteError) {
        try insert(
            entries, columns: 2, one: try database.statement("INSERT OR IGNORE INTO target_index(target, seq) VALUES(?, ?)"),
            eight: try database.statement(
                """
                INSERT OR IGNORE INTO target_index(target, seq)
                VALUES(?, ?), (?, ?), (?, ?), (?, ?), (?, ?), (?, ?), (?, ?), (?, ?)
                """)
        ) { statement, column, entry in
            statement.bind(column, entry.target)
            statement.bind(column + 1, entry.seq)
        }
    }

    func insert(_ entries: ArraySlice<(app: Int64, hash: Int64, seq: UInt64)>) throws(SQLiteError) {
        try insert(
            entries, columns: 3, one: try database.statement("INSERT OR IGNORE INTO biz_index(app, hash, seq) VALUES(?, ?, ?)"),
            eight: try database.statement(
                """
                INSERT OR IGNORE INTO biz_index(app, hash, seq)
                VALUES(?, ?, ?), (?, ?, ?), (?, ?, ?), (?, ?, ?), (?, ?, ?), (?, ?, ?), (?, ?, ?), (?, ?, ?)
                """)
        ) { statement, column, entry in
            statement.bind(column, entry.app)
            statement.bind(column + 1, entry.hash)
            statement.bind(column + 2, entry.seq)
        }
    }

    func insert(_ entries: ArraySlice<(app: Int64, tag: ExactText, seq: UInt64)>) throws(SQLiteError) {
        try insert(
            entries, columns: 3, one: try database.statement("INSERT OR IGNORE INTO tag_index(app, tag, seq) VALUES(?, ?, ?)"),
            eight: try database.statement(
                """
                INSERT OR IGNORE INTO tag_index(app, tag, seq)
                VALUES(?, ?, ?), (?, ?, ?), (?, ?, ?), (?, ?, ?), (?, ?, ?), (?, ?, ?), (?, ?, ?), (?, ?, ?)
                """)
        ) { statement, column, entry in
            statement.bind(column, entry.app)
            statement.bind(column + 1, entry.tag)
            statement.bind(column + 2, entry.seq)
        }
    }

    /// Eight rows a statement, as far as there are so many: beginning and ending one costs as much as a row.
    private func insert<Entry>(
        _ entries: ArraySlice<Entry>, columns: Int32, one: Statement, eight: Statement,
        bind: (Statement, Int32, Entry) -> Void
    ) throws(SQLiteError) {
        var next = entries.startIndex
        while next < entries.endIndex {
            let (statement, count) = entries.endIndex - next >= 8 ? (eight, 8) : (one, 1)
            for row in 0..<count { bind(statement, 1 + columns * Int32(row), entries[next + row]) }
            try statement.run()
            next += count
        }
    }

    // MARK: Forgetting a row

    func remove(_ seq: UInt64, of target: TargetKey) throws(SQLiteError) {
        let delete = try database.statement("DELETE FROM target_index WHERE target = ? AND seq = ?")
        delete.bind(1, target.raw)
        delete.bind(2, seq)
        try delete.run()
    }

    func remove(_ seq: UInt64, ofApp app: Int64, bizHash: Int64) throws(SQLiteError) {
        let delete = try database.statement("DELETE FROM biz_index WHERE app = ? AND hash = ? AND seq = ?")
        delete.bind(1, app)
        delete.bind(2, bizHash)
        delete.bind(3, seq)
        try delete.run()
    }

    func remove(_ seq: UInt64, ofApp app: Int64, tag: ExactText) throws(SQLiteError) {
        let delete = try database.statement("DELETE FROM tag_index WHERE app = ? AND tag = ? AND seq = ?")
        delete.bind(1, app)
        delete.bind(2, tag)
        delete.bind(3, seq)
        try delete.run()
    }
}
