internal import CSQLite

/// What SQLite said, with where it was said.
struct SQLiteError: Error, CustomStringConvertible {
    /// The extended result code.
    let code: Int32
    let message: String

    var description: String { "\(message) (SQLite \(code))" }

    /// The disk has no room: nothing was written that counts, and the same call works once there is room again.
    ///
    /// A shared-memory file that cannot grow is reported as an input/output error, but is the same thing: it fails before the
    /// first byte of the transaction is written.
    var isFull: Bool { code & 0xFF == SQLITE_FULL || code == PSP_SQLITE_IOERR_SHMSIZE }
}
