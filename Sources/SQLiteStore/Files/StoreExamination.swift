internal import CSQLite
internal import Glibc
internal import Push

/// What a store's file holds, and whether it is intact. The file is read and not changed.
public struct StoreExamination: Sendable {
    /// How the bytes of a copy stand to the checksum that its backup wrote beside it.
    public enum Checksum: String, Sendable {
        case matches
        case differs
        /// There is none.
        case absent
    }

    /// The version of its tables.
    public let version: Int
    /// The newest version that this program knows; it brings an older one up by itself.
    public static var knownVersion: Int { Int(Schema.version) }
    /// How many rows of each kind it has, in the order in which people ask.
    public let counts: [(name: String, count: Int)]
    /// What is damaged in its structure; empty where that is whole.
    public let problems: [String]
    /// `nil` for a data directory, whose bytes change.
    public let checksum: Checksum?

    /// Whether nothing of it is known to be damaged.
    public var isIntact: Bool { problems.isEmpty && checksum != .differs }

    private static let countedTables: [(name: String, sql: StaticString)] = [
        ("apps", "SELECT count(*) FROM app WHERE removed = 0"), ("organisations", "SELECT count(*) FROM org WHERE removed = 0"),
        ("devices", "SELECT count(*) FROM device WHERE retired_seq = 9223372036854775807"),
        ("tasks", "SELECT count(*) FROM message WHERE ref IS NULL"),
    ]

    /// - Parameter path: a data directory, or the file of a backup.
    public init(of path: String) throws(SQLiteStoreError) {
        var information = stat()
        guard stat(path, &information) == 0 else {
            try StoreFile.requireReadable(path)
            throw .failed(path, .last)
        }
        if information.st_mode & S_IFMT == S_IFDIR {
            try self.init(ofFile: path + "/psp.db", nil)
        } else {
            let wanted = try StoreChecksum.read(beside: path)
            let checksum: Checksum =
                if let wanted { try StoreChecksum.digest(of: path) == wanted ? .matches : .differs } else { .absent }
            try self.init(ofFile: path, checksum)
        }
    }

    /// Of a copy that is being made.
    init(ofCopy path: String) throws(SQLiteStoreError) { try self.init(ofFile: path, nil) }

    private init(ofFile file: String, _ checksum: Checksum?) throws(SQLiteStoreError) {
        try StoreFile.requireReadable(file)
        self.checksum = checksum
        do {
            let database = try Database(examining: file)
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
        } catch {
            throw SQLiteStoreError(file, whatever: error)
        }
    }
}
