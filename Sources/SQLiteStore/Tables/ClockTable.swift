internal import StoreCore

/// `clock` and `clock_step`: how store time goes on after a restart, and the steps of the wall clock that rows have seen.
final class ClockTable {
    private let database: Database

    init(_ database: Database) { self.database = database }

    /// What goes on after a restart.
    struct Record {
        /// Store time at the boot, in microseconds.
        var base: Int64
        /// Of which boot; `nil` where the system did not tell.
        var boot: String?
        /// The latest store time that was written, in milliseconds. Rows may tell a later one.
        var time: Int64
    }

    /// `nil` in a directory that was written before store time was.
    func record() throws(SQLiteError) -> Record? {
        let query = try database.statement("SELECT base, boot, time FROM clock")
        guard try query.step() else { return nil }
        defer { query.reset() }
        return Record(base: query.int(0), boot: query.optionalText(1), time: query.int(2))
    }

    func write(_ record: Record) throws(SQLiteError) {
        let write = try database.statement("INSERT OR REPLACE INTO clock(id, base, boot, time) VALUES(0, ?, ?, ?)")
        write.bind(1, record.base)
        write.bind(2, record.boot)
        write.bind(3, record.time)
        try write.run()
    }

    func write(time: Int64) throws(SQLiteError) {
        let write = try database.statement("UPDATE clock SET time = ?")
        write.bind(1, time)
        try write.run()
    }

    /// `nil` where there is none.
    func stretches() throws(SQLiteError) -> Stretches? {
        let query = try database.statement("SELECT seq, since, wall_offset, shift FROM clock_step ORDER BY seq, since")
        var all: [Stretch] = []
        while try query.step() {
            all.append(
                Stretch(after: query.position(0), since: query.int(1), offset: query.int(2), shift: query.int(3)))
        }
        return all.isEmpty ? nil : Stretches(all)
    }

    /// Writes those that have changed.
    /// - Parameter first: where the first of them begins.
    func write(_ stretches: Stretches, from first: UInt64) throws(SQLiteError) {
        let delete = try database.statement("DELETE FROM clock_step WHERE seq >= ? OR (seq, since) < (?, ?)")
        delete.bind(1, first)
        delete.bind(2, stretches.all[0].after)
        delete.bind(3, stretches.all[0].since)
        try delete.run()
        let insert = try database.statement("INSERT INTO clock_step(seq, since, wall_offset, shift) VALUES(?, ?, ?, ?)")
        for stretch in stretches.all where stretch.after >= first {
            insert.bind(1, stretch.after)
            insert.bind(2, stretch.since)
            insert.bind(3, stretch.offset)
            insert.bind(4, stretch.shift)
            try insert.run()
        }
    }
}
