/// Why a store cannot be opened.
public enum SQLiteStoreError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The directory's file is of another program.
    case notOurs
    /// The directory was written by a later version.
    case newerVersion(found: Int, known: Int)
    /// What the disk or SQLite said.
    case failed(String)

    /// One line for an operator.
    public var description: String {
        switch self {
        case .notOurs: "psp.db is not a push store"
        case .newerVersion(let found, let known):
            "the data directory is of version \(found), this program knows versions up to \(known)"
        case .failed(let reason): reason
        }
    }
}
