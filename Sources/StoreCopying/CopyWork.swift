internal import Base
internal import PostgresStore
internal import Push
internal import SQLiteStore
internal import StoreCore

/// One copying: what is read from where, and what it becomes.
///
/// Both stores keep the same things under the same numbers: positions, ordinals, apps, organisations and users. What differs is
/// said where it is changed. Times are store time in both; the embedded one has them as they were counted when they were written,
/// and the shared one as they are read.
final class CopyWork {
    let source: StoreSource
    let filling: SchemaFilling
    private var done = 0
    private var all = 0
    private let progress: (Double, Int) throws -> Void
    /// Names of apps, those that were removed too, by which rows are hashed.
    var apps: [Int64: AppKey] = [:]

    init(_ source: StoreSource, _ filling: SchemaFilling, _ progress: @escaping (Double, Int) throws -> Void) {
        self.source = source
        self.filling = filling
        self.progress = progress
    }

    /// The tables of which there are many rows.
    private static let large: [StaticString] = [
        "SELECT count(*) FROM device", "SELECT count(*) FROM message", "SELECT count(*) FROM counter",
        "SELECT count(*) FROM receipt", "SELECT count(*) FROM event", "SELECT count(*) FROM audit",
    ]

    func run() async throws -> StoreCopy.Result {
        for count in Self.large { all += Int(try source.count(count)) }
        try await copyApps()
        try await copyOrganisations()
        try await copyDevices()
        try await makePartitions()
        try await copyLog()
        try await copyConfigurations()
        try await copyReceipts()
        try await copyFollowUps()
        try await copyOperators()
        try await copyAudit()
        try await copyImports()
        try await copyNonces()
        try await sumUp()
        try await setTime()
        return StoreCopy.Result(
            counts: [
                ("apps", Int(try source.count("SELECT count(*) FROM app WHERE removed = 0"))),
                ("organisations", Int(try source.count("SELECT count(*) FROM org WHERE removed = 0"))),
                ("devices", Int(try source.count("SELECT count(*) FROM live_device"))),
                ("tasks", Int(try source.count("SELECT count(*) FROM message WHERE ref IS NULL"))),
            ], rows: done)
    }

    /// Puts a row into a table.
    func insert(_ row: [FilledValue], into table: FilledTable) async throws {
        try await filling.insert(row, into: table)
        done += 1
        if done % 1_000 == 0 { try progress(min(0.99, Double(done) / Double(max(all, 1))), done) }
    }

    /// The next value of an identity column comes after all that there were.
    /// - Parameter last: what was given last, where a row does not tell it.
    func setSequence(of table: String, _ column: String, atLeast last: Int64 = 0) async throws {
        try await filling.run(
            """
            SELECT setval(pg_get_serial_sequence('psp.\(table)', '\(column)'), m.last)
            FROM (SELECT greatest(max(\(column)), \(last)) AS last FROM psp.\(table)) m WHERE m.last > 0 AND @filling
            """)
    }
}
