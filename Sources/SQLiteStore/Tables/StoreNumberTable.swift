internal import StoreCore

/// `store_number`: the numbers that tasks' ids begin with, each from a position on.
final class StoreNumberTable {
    private let database: Database

    init(_ database: Database) { self.database = database }

    /// Oldest first.
    func all() throws(SQLiteError) -> [TaskNumber.Stretch] {
        let query = try database.statement("SELECT from_seq, store FROM store_number ORDER BY from_seq")
        var found: [TaskNumber.Stretch] = []
        while try query.step() { found.append(TaskNumber.Stretch(from: query.position(0), store: query.short(1))) }
        return found
    }

    func insert(_ stretch: TaskNumber.Stretch) throws(SQLiteError) {
        let insert = try database.statement("INSERT OR REPLACE INTO store_number(from_seq, store) VALUES(?, ?)")
        insert.bind(1, stretch.from)
        insert.bind(2, stretch.store)
        try insert.run()
    }
}
