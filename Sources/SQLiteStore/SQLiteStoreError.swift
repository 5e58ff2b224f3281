internal import Base
internal import CSQLite
internal import Glibc
public import Push

/// Why a store, or a copy of one, cannot be used.
public enum SQLiteStoreError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The file is of another program.
    case notOurs
    /// The directory was written by a later version.
    case newerVersion(found: Int, known: Int)
    /// The directory was written by an earlier version, which the server would bring up at its start.
    case olderVersion(found: Int)
    /// What the disk or SQLite said. It would say the same at the next try.
    case failed(BilingualText)
    /// The same, but the next try may do better: the disk is full, another program holds the lock, no descriptor is left.
    case unavailable(BilingualText)

    init(_ path: String, _ error: SQLiteError) {
        let text = BilingualText("\(path)：\(error.text.chinese)", "\(path): \(error.text.english)")
        let isForGood =
            switch error.code & 0xFF {
            case SQLITE_READONLY, SQLITE_NOTADB, SQLITE_CORRUPT, SQLITE_PERM, SQLITE_AUTH: true
            // By what the system said: a file that may not be opened, or none where one should be.
            case SQLITE_CANTOPEN: [ENOENT, EACCES, EPERM, EISDIR, ENOTDIR, EROFS, ELOOP, ENAMETOOLONG].contains(error.system)
            default: false
            }
        self = isForGood ? .failed(text) : .unavailable(text)
    }

    /// Whatever went wrong with a file, as a store's error.
    init(_ path: String, whatever error: any Error) {
        switch error {
        case let error as SQLiteStoreError: self = error
        case let error as SQLiteError: self.init(path, error)
        default: self = .failed(BilingualText("\(path)：\(error)", "\(path): \(error)"))
        }
    }

    /// What the system said of a file.
    static func failed(_ path: String, _ error: SystemError) -> SQLiteStoreError {
        .failed(BilingualText("\(path)：\(error.text.chinese)", "\(path): \(error.text.english)"))
    }

    /// One line for an operator, in both languages.
    public var text: BilingualText {
        switch self {
        case .notOurs: BilingualText("psp.db 不是推送服务器的存储", "psp.db is not a push store")
        case .newerVersion(let found, let known):
            BilingualText(
                "存储的版本为 \(found)，本程序只认识 \(known) 及以下的版本：请换用更新的程序，或用 pspctl restore 放回升级之前所做的备份",
                "the store is of version \(found), this program knows versions up to \(known): use the newer program, or "
                    + "put back the backup that was made before the upgrade, with pspctl restore")
        case .olderVersion(let found):
            BilingualText(
                "存储的版本为 \(found)，本程序的版本为 \(Schema.version)：请先用本版本的 pspd 启动一次再停止",
                "the store is of version \(found), and this program's is \(Schema.version): start and end this version's pspd on "
                    + "it once")
        case .failed(let reason), .unavailable(let reason): reason
        }
    }

    /// The same for a log.
    public var description: String { text.english }
}
