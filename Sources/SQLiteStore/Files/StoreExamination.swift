internal import CSQLite
internal import Glibc

/// What a store's file holds, and whether it is intact. The file is read and not changed.
public struct StoreExamination: Sendable {
    /// The version of its tables.
    public let version: Int
    /// The newest version that this program knows; it brings an older one up by itself.
    public static var knownVersion: Int { Int(Schema.version) }
    /// How many rows of each kind it has, in the order in which people ask.
    public let counts: [(name: String, count: Int)]
    /// What is damaged; empty where it is intact.
    public let problems: [String]

    private static let countedTables: [(name: String, sql: StaticString)] = [
        ("apps", "SELECT count(*) FROM app WHERE removed = 0"), ("organisations", "SELECT count(*) FROM org WHERE removed = 0"),
        ("devices", "SELECT count(*) FROM device WHERE retired_seq = 9223372036854775807"),
        ("tasks", "SELECT count(*) FROM message WHERE ref IS NULL"),
    ]

    /// - Parameter path: a data directory, or the file of a backup.
    public init(of path: String) throws(SQLiteStoreError) {
        var information = stat()
        guard stat(path, &information) == 0 else { throw .failed("\(path) is not there") }
        let file = information.st_mode & S_IFMT == S_IFDIR ? path + "/psp.db" : path
        guard access(file, R_OK) == 0 else { throw .failed("\(file) is not there, or may not be read") }
        do {
            // Without a log beside it nothing can be missing from the file, which then is not even locked.
            var log = stat()
            let isWhole = stat(file + "-wal", &log) != 0 || log.st_size == 0
            let database = try Database(path: file, role: isWhole ? .examinedAlone : .reader)
            version = try Schema.check(database)
            guard version > 0 else { throw SQLiteStoreError.notOurs }
            var found: [(String, Int)] = []
            var problems: [String] = []
            try database.reading { () throws(SQLiteError) in
                for (name, sql) in Self.countedTables { found.append((name, Int(try database.number(sql) ?? 0))) }
                let check = try database.statement("PRAGMA integrity_check(10)")
                while try check.step() { if check.text(0) != "ok" { problems.append(check.text(0)) } }
            }
            (counts, self.problems) = (found, problems)
        } catch let error as SQLiteStoreError {
            throw error
        } catch let error as SQLiteError {
            throw SQLiteStoreError(file, error)
        } catch {
            throw .failed("\(file): \(error)")
        }
    }
}
