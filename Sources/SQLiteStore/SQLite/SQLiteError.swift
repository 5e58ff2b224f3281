internal import CSQLite
internal import Push

/// What SQLite said, with where it was said.
struct SQLiteError: Error, CustomStringConvertible {
    /// The extended result code.
    let code: Int32
    let message: String
    /// What the system had said (`errno`), where a file could not be opened; else 0.
    var system: Int32 = 0

    var description: String { "\(message) (SQLite \(code))" }

    /// The same in both languages. SQLite itself speaks English.
    var text: BilingualText {
        let chinese =
            switch code & 0xFF {
            case SQLITE_FULL: "磁盘已满"
            case SQLITE_CORRUPT, SQLITE_FORMAT: "文件已损坏"
            case SQLITE_NOTADB: "不是数据库文件"
            case SQLITE_BUSY, SQLITE_LOCKED: "被其他程序锁定"
            case SQLITE_READONLY, SQLITE_PERM, SQLITE_AUTH: "只能读取，权限或属主不允许写入"
            case SQLITE_CANTOPEN: "无法打开"
            case SQLITE_IOERR: "读写错误"
            case SQLITE_NOMEM: "内存不足"
            default: message
            }
        return BilingualText("\(chinese)（SQLite \(code)）", description)
    }

    /// What an error leaves behind.
    enum Effect {
        /// The disk has no room. Nothing was written that counts, and the same call works once there is room again.
        case full
        /// Somebody or something was in the way: another program's lock, no descriptor or memory left, a page that could not be
        /// read. Nothing was written that counts.
        case blocked
        /// What was asked is at fault, or what it found: the same call meets the same again, and nothing else is wrong.
        case fault
        /// A write or a sync failed, or what was read is damaged: nobody knows what the disk holds.
        case doubt
    }

    /// A value that was read is none that this store writes, although the file around it is whole.
    static func unreadable(_ what: String) -> SQLiteError { SQLiteError(code: SQLITE_MISMATCH, message: what) }

    var effect: Effect {
        switch code & 0xFF {
        case SQLITE_FULL: .full
        case SQLITE_CORRUPT, SQLITE_NOTADB, SQLITE_FORMAT: .doubt
        case SQLITE_IOERR: Self.effect(ofInputOutput: code)
        case SQLITE_ERROR, SQLITE_CONSTRAINT, SQLITE_MISMATCH, SQLITE_TOOBIG, SQLITE_RANGE: .fault
        default: .blocked
        }
    }

    /// Those that happen beside reading and writing touch nothing that is kept. Any other is taken for the worst.
    private static func effect(ofInputOutput code: Int32) -> Effect {
        switch code {
        case PSP_SQLITE_IOERR_SHMSIZE: .full
        case PSP_SQLITE_IOERR_READ, PSP_SQLITE_IOERR_NOMEM, PSP_SQLITE_IOERR_ACCESS, PSP_SQLITE_IOERR_FSTAT,
            PSP_SQLITE_IOERR_LOCK, PSP_SQLITE_IOERR_RDLOCK, PSP_SQLITE_IOERR_UNLOCK,
            PSP_SQLITE_IOERR_SHMOPEN, PSP_SQLITE_IOERR_SHMMAP, PSP_SQLITE_IOERR_SHMLOCK:
            .blocked
        default: .doubt
        }
    }

    /// Whether a COMMIT that ended so has certainly not happened. A log that has no room, or whose lock another program holds,
    /// was not written to its end; any other may have failed after that.
    var undoesCommit: Bool { code & 0xFF == SQLITE_FULL || code & 0xFF == SQLITE_BUSY }
}
