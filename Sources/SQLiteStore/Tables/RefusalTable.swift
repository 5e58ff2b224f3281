internal import Base
internal import Push

/// `refusal`: how often whom was refused, by the minute of store time, newest last. What is not known is 0 or empty, so that it
/// can be a part of the key.
final class RefusalTable {
    /// How many of each listener are told apart in a day, whoever they are: some 300 MB in 180 days.
    static let mostOfDay = 10_000

    private let database: Database

    init(_ database: Database) { self.database = database }

    // MARK: Counting

    /// Adds to what is counted of that key in that minute.
    /// - Parameter ahead: how far what people see is ahead of store time, in milliseconds.
    func add(_ count: RefusalCount, ahead: Int64) throws(SQLiteError) {
        let upsert = try database.statement(
            """
            INSERT INTO refusal(minute, listener, name, client, code, ahead, count) VALUES(?, ?, ?, ?, ?, ?, ?)
            ON CONFLICT DO UPDATE SET count = count + excluded.count
            """)
        bind(upsert, count)
        upsert.bind(6, ahead)
        upsert.bind(7, count.count)
        try upsert.run()
    }

    func contains(_ count: RefusalCount) throws(SQLiteError) -> Bool {
        let query = try database.statement(
            "SELECT 1 FROM refusal WHERE minute = ? AND listener = ? AND name = ? AND client = ? AND code = ?")
        bind(query, count)
        guard try query.step() else { return false }
        query.reset()
        return true
    }

    private func bind(_ statement: Statement, _ count: RefusalCount) {
        statement.bind(1, count.minute)
        statement.bind(2, count.key.listener.rawValue)
        statement.bind(3, count.key.name?.text ?? "")
        if let client = count.key.client { statement.bind(4, client) } else { statement.bind(4, "") }
        statement.bind(5, count.key.code ?? 0)
    }

    /// How many keys of a listener those minutes have.
    func keys(of listener: RefusalListener, in minutes: Range<Int64>) throws(SQLiteError) -> Int {
        let query = try database.statement("SELECT count(*) FROM refusal WHERE minute >= ? AND minute < ? AND listener = ?")
        query.bind(1, minutes.lowerBound)
        query.bind(2, minutes.upperBound)
        query.bind(3, listener.rawValue)
        guard try query.step() else { return 0 }
        defer { query.reset() }
        return Int(query.int(0))
    }

    // MARK: Reading

    /// Where a list goes on: in that minute, behind so many of it.
    struct Place {
        var minute: Int64
        var behind: Int
    }

    /// Calls `body` with what matches, newest first, as long as it returns true. It looks at so many at most.
    /// - Returns: where it would go on; `nil` at the end.
    func forEach(
        after place: Place, _ filter: RefusalFilter, looking most: Int, _ body: (RefusalCount) -> Bool
    ) throws(SQLiteError) -> Place? {
        let query = try database.statement(
            """
            SELECT minute, listener, name, client, code, ahead, count FROM refusal WHERE minute <= ?
            ORDER BY minute DESC, listener DESC, name DESC, client DESC, code DESC
            """)
        query.bind(1, place.minute)
        defer { query.reset() }
        var (here, looked) = (Place(minute: place.minute, behind: 0), 0)
        while try query.step() {
            let minute = query.int(0)
            if minute == here.minute { here.behind += 1 } else { here = Place(minute: minute, behind: 1) }
            if minute == place.minute, here.behind <= place.behind { continue }
            looked += 1
            if let count = Self.count(query), filter.matches(count), !body(count) { return here }
            if looked == most { return here }
        }
        return nil
    }

    private static func count(_ query: Statement) -> RefusalCount? {
        guard let listener = RefusalListener(rawValue: Int(query.int(1))) else { return nil }
        let (name, code) = (query.text(2), query.int(4))
        let key = RefusalCount.Key(
            listener, kept: name.isEmpty ? nil : ExactText(name), client: query.address(3), code: code == 0 ? nil : Int(code))
        let seen = query.int(0) * 60_000 + query.int(5)
        return RefusalCount(key, minute: seen - seen % 60_000, count: query.int(6))
    }

    // MARK: Forgetting

    /// Removes those before a minute, so many at most.
    /// - Returns: how many.
    func remove(before minute: Int64, limit: Int) throws(SQLiteError) -> Int {
        let delete = try database.statement(
            """
            DELETE FROM refusal WHERE (minute, listener, name, client, code) IN (
              SELECT minute, listener, name, client, code FROM refusal WHERE minute < ? ORDER BY minute LIMIT ?)
            """)
        delete.bind(1, minute)
        delete.bind(2, limit)
        try delete.run()
        return database.changes
    }
}
