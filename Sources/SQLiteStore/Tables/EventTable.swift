internal import Push
internal import StoreCore

/// `event`: what devices told of tasks themselves: opened, applied, failed, and by which reason code they rejected one.
final class EventTable {
    private let database: Database

    init(_ database: Database) { self.database = database }

    /// - Parameter event: its number, ``ReceiptEvent/number`` or ``RecipientState/rejectionNumber``.
    /// - Returns: whether it was not told before.
    func insert(
        _ event: Int64, of seq: UInt64, by ordinal: UInt32, detail: String?
    ) throws(SQLiteError) -> Bool {
        let insert = try database.statement("INSERT OR IGNORE INTO event(seq, event, ordinal, detail) VALUES(?, ?, ?, ?)")
        insert.bind(1, seq)
        insert.bind(2, event)
        insert.bind(3, ordinal)
        insert.bind(4, detail)
        try insert.run()
        return database.changes == 1
    }

    /// Who told it of a task, in the order of their ordinals.
    func recipients(
        _ event: Int64, of seq: UInt64, from first: Int64, limit: Int
    ) throws(SQLiteError) -> [(ordinal: Int64, recipient: Recipient)] {
        let query = try database.statement(
            """
            SELECT event.ordinal, device.token, event.detail, device.retired_seq
            FROM event JOIN device ON device.ordinal = event.ordinal
            WHERE event.seq = ? AND event.event = ? AND event.ordinal >= ? ORDER BY event.ordinal LIMIT ?
            """)
        query.bind(1, seq)
        query.bind(2, event)
        query.bind(3, first)
        query.bind(4, limit)
        var found: [(ordinal: Int64, recipient: Recipient)] = []
        while try query.step() {
            let recipient = Recipient(
                device: DeviceToken(unchecked: query.text(1)), detail: query.optionalText(2),
                isFormer: query.position(3) != MembershipHistory.forever)
            found.append((query.int(0), recipient))
        }
        return found
    }

    /// Removes some of what was told of a task.
    /// - Returns: how many; fewer than `limit` where none is left.
    func removeSome(of seq: UInt64, limit: Int) throws(SQLiteError) -> Int {
        let delete = try database.statement(
            """
            DELETE FROM event WHERE (seq, event, ordinal) IN
              (SELECT seq, event, ordinal FROM event WHERE seq = ? LIMIT ?)
            """)
        delete.bind(1, seq)
        delete.bind(2, limit)
        try delete.run()
        return database.changes
    }
}
