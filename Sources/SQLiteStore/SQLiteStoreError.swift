internal import CSQLite
internal import Glibc

/// Why a store cannot be opened.
public enum SQLiteStoreError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The directory's file is of another program.
    case notOurs
    /// The directory was written by a later version.
    case newerVersion(found: Int, known: Int)
    /// What the disk or SQLite said. It would say the same at the next try.
    case failed(String)
    /// The same, but the next try may do better: the disk is full, another program holds the lock, no descriptor is left.
    case unavailable(String)

    init(_ path: String, _ error: SQLiteError) {
        let text = "\(path): \(error)"
        let isForGood =
            switch error.code & 0xFF {
            case SQLITE_READONLY, SQLITE_NOTADB, SQLITE_CORRUPT, SQLITE_PERM, SQLITE_AUTH: true
            // By what the system said: a file that may not be opened, or none where one should be.
            case SQLITE_CANTOPEN: [ENOENT, EACCES, EPERM, EISDIR, ENOTDIR, EROFS, ELOOP, ENAMETOOLONG].contains(error.system)
            default: false
            }
        self = isForGood ? .failed(text) : .unavailable(text)
    }

    /// One line for an operator.
    public var description: String {
        switch self {
        case .notOurs: "psp.db is not a push store"
        case .newerVersion(let found, let known):
            "the data directory is of version \(found), this program knows versions up to \(known)"
        case .failed(let reason), .unavailable(let reason): reason
        }
    }
}
