/// `app_day`: how many pushes of an app were stored on the day on which the last one was; of apps whose day is bounded.
final class QuotaTable {
    private let database: Database

    init(_ database: Database) { self.database = database }

    func day(of app: Int64) throws(SQLiteError) -> (day: Int64, pushes: Int64)? {
        let query = try database.statement("SELECT day, pushes FROM app_day WHERE app = ?")
        query.bind(1, app)
        guard try query.step() else { return nil }
        defer { query.reset() }
        return (query.int(0), query.int(1))
    }

    func write(_ app: Int64, day: Int64, pushes: Int64) throws(SQLiteError) {
        let write = try database.statement("INSERT OR REPLACE INTO app_day(app, day, pushes) VALUES(?, ?, ?)")
        write.bind(1, app)
        write.bind(2, day)
        write.bind(3, pushes)
        try write.run()
    }
}
