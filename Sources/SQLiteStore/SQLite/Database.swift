internal import CSQLite
internal import Glibc

/// One connection to the store's file. Used by one thread only; statements are prepared once and kept.
final class Database {
    private let handle: OpaquePointer
    private var statements: [Int: Statement] = [:]
    /// The last that was asked for by each slot, in front of the dictionary (200 instructions less at each look-up). Memory of
    /// its own: an array in a class costs a check of exclusive access at each.
    private let recent = UnsafeMutablePointer<(key: Int, statement: Statement?)>.allocate(capacity: Database.slots)
    private static let slots = 256

    /// How a connection is used.
    enum Role {
        /// The one that changes the file.
        case writer
        /// Reads snapshots.
        case reader
        /// Moves the write-ahead log into the file.
        case checkpointer
        /// Fills a copy, which is nobody's until it is synced as a whole.
        case copy
        /// Reads a file that has no log and that nobody changes, and makes nothing beside it.
        case examinedAlone
    }

    /// Opens `path`; the writer creates it if it is missing. What the connection needs later is open when this returns.
    init(path: String, role: Role) throws(SQLiteError) {
        _ = Self.configuration
        var handle: OpaquePointer?
        let access =
            switch role {
            case .reader: SQLITE_OPEN_READONLY
            case .examinedAlone: SQLITE_OPEN_READONLY | SQLITE_OPEN_URI
            case .writer, .checkpointer, .copy: SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE
            }
        let name = role == .examinedAlone ? Self.unchanging(path) : path
        let code = sqlite3_open_v2(name, &handle, access | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, nil)
        guard code == SQLITE_OK, let handle else {
            let error = SQLiteError(
                code: code, message: handle.map { String(cString: sqlite3_errmsg($0)) } ?? "out of memory",
                system: sqlite3_system_errno(handle))
            sqlite3_close_v2(handle)
            throw error
        }
        self.handle = handle
        recent.initialize(repeating: (0, nil), count: Self.slots)
        waitForLocks(upTo: 5_000)
        _ = psp_sqlite_leave_log_at_close(handle, 1)
        if role == .writer {
            // A file that may only be read is opened all the same, and without a word.
            if sqlite3_db_readonly(handle, "main") == 1 {
                throw SQLiteError(code: SQLITE_READONLY, message: "it may only be read: its mode or its owner forbids writing")
            }
            // The file belongs to one process, so WAL's page size and journal mode are set once, here.
            try execute("PRAGMA page_size=4096")
            try execute("PRAGMA journal_mode=WAL")
        }
        // FULL: the log is synced at each commit, which is what SUCCESS promises. Checkpoints are our own business.
        try execute("PRAGMA synchronous=\(role == .copy ? "OFF" : "FULL")")
        try execute("PRAGMA wal_autocheckpoint=0")
        // A log that grew while somebody held a snapshot gives the room back when it begins anew. The limit is above what the log
        // grows to between two checkpoints: cut and grown again, each growth would cost a sync of the file system's journal (30
        // ms).
        try execute("PRAGMA journal_size_limit=\(192 << 20)")
        try execute("PRAGMA cache_size=-\(role == .writer ? 65_536 : 16_384)")
        try execute("PRAGMA temp_store=MEMORY")
        // The log is opened by the first look into the file: now, and not when there may be no descriptor left.
        _ = try number("PRAGMA user_version")
    }

    /// Opens a store's file to be read and not changed. Without a log beside it nothing can be missing from the file, which then
    /// is not even locked.
    convenience init(examining file: String) throws(SQLiteError) {
        var log = stat()
        let isWhole = stat(file + "-wal", &log) != 0 || log.st_size == 0
        try self.init(path: file, role: isWhole ? .examinedAlone : .reader)
    }

    /// The name of a file that is not locked, since nobody changes it.
    private static func unchanging(_ path: String) -> String {
        var name = "file:"
        for byte in path.utf8 {
            switch byte {
            case UInt8(ascii: "%"): name += "%25"
            case UInt8(ascii: "?"): name += "%3f"
            case UInt8(ascii: "#"): name += "%23"
            case 0x80...: name += "%" + String(byte, radix: 16)
            default: name.unicodeScalars.append(Unicode.Scalar(byte))
            }
        }
        return name + "?immutable=1"
    }

    /// What holds for the whole process.
    private static let configuration: Void = psp_sqlite_configure()

    /// How long a statement waits for another program's lock, in milliseconds.
    func waitForLocks(upTo milliseconds: Int32) { sqlite3_busy_timeout(handle, milliseconds) }

    deinit {
        recent.deinitialize(count: Self.slots)
        recent.deallocate()
        for statement in statements.values { statement.finalize() }
        sqlite3_close_v2(handle)
    }

    /// The statement for this text, prepared at its first use. Keyed by the address of the literal.
    func statement(_ sql: StaticString) throws(SQLiteError) -> Statement {
        let key = Int(bitPattern: sql.utf8Start)
        let slot = (key ^ key >> 8) & 0xFF
        if recent[slot].key == key, let known = recent[slot].statement { return known }
        let statement: Statement
        if let known = statements[key] { statement = known } else { statement = try prepare(sql, key) }
        recent[slot] = (key, statement)
        return statement
    }

    private func prepare(_ sql: StaticString, _ key: Int) throws(SQLiteError) -> Statement {
        var prepared: OpaquePointer?
        let code = sql.utf8Start.withMemoryRebound(to: CChar.self, capacity: sql.utf8CodeUnitCount) {
            sqlite3_prepare_v3(
                handle, $0, Int32(sql.utf8CodeUnitCount), UInt32(SQLITE_PREPARE_PERSISTENT), &prepared, nil)
        }
        guard code == SQLITE_OK, let prepared else { throw lastError() }
        let statement = Statement(prepared, of: self)
        statements[key] = statement
        return statement
    }

    /// Runs text that is not worth keeping.
    func execute(_ sql: String) throws(SQLiteError) {
        guard sqlite3_exec(handle, sql, nil, nil, nil) == SQLITE_OK else { throw lastError() }
    }

    /// The single number that a query yields.
    func number(_ sql: StaticString) throws(SQLiteError) -> Int64? {
        let query = try statement(sql)
        guard try query.step() else { return nil }
        defer { query.reset() }
        return query.optionalInt(0)
    }

    /// How many rows the last statement changed.
    var changes: Int { Int(sqlite3_changes(handle)) }

    /// How many rows were changed since the connection was opened.
    var totalChanges: Int { Int(sqlite3_total_changes(handle)) }

    /// Texts of statements that were begun and not ended: each keeps the write-ahead log from beginning anew.
    var busyStatements: [String] {
        var found: [String] = []
        var next = sqlite3_next_stmt(handle, nil)
        while let statement = next {
            if sqlite3_stmt_busy(statement) != 0, let text = sqlite3_sql(statement) { found.append(String(cString: text)) }
            next = sqlite3_next_stmt(handle, statement)
        }
        return found
    }

    func lastError() -> SQLiteError {
        SQLiteError(
            code: sqlite3_extended_errcode(handle), message: String(cString: sqlite3_errmsg(handle)),
            system: sqlite3_system_errno(handle))
    }

    /// Whether a transaction is open: some errors roll back by themselves.
    var inTransaction: Bool { sqlite3_get_autocommit(handle) == 0 }

    /// Begins a transaction that will write. The write lock is taken here, where another program's is waited for, and not at the
    /// first change, where SQLite does not wait.
    func begin() throws(SQLiteError) { try statement("BEGIN IMMEDIATE").run() }

    func commit() throws(SQLiteError) { try statement("COMMIT").run() }

    /// Undoes what was begun, if anything was.
    func rollback() throws(SQLiteError) {
        if inTransaction { try statement("ROLLBACK").run() }
    }

    /// Changes all of it, or nothing.
    func transact<Result>(_ body: () throws(SQLiteError) -> Result) throws(SQLiteError) -> Result {
        try begin()
        do throws(SQLiteError) {
            let result = try body()
            try commit()
            return result
        } catch {
            try rollback()
            throw error
        }
    }

    /// Changes all of it, or nothing, inside of a transaction, which goes on.
    func savepoint(_ body: () throws(SQLiteError) -> Void) throws(SQLiteError) {
        try statement("SAVEPOINT part").run()
        do throws(SQLiteError) {
            try body()
        } catch {
            // Some errors undo the whole transaction by themselves.
            if inTransaction {
                try statement("ROLLBACK TO part").run()
                try statement("RELEASE part").run()
            }
            throw error
        }
        try statement("RELEASE part").run()
    }

    /// Reads from one snapshot.
    func reading<Result>(_ body: () throws(SQLiteError) -> Result) throws(SQLiteError) -> Result {
        try beginReading()
        let result: Result
        do throws(SQLiteError) { result = try body() } catch {
            try endReading()
            throw error
        }
        try endReading()
        return result
    }

    /// Takes a snapshot.
    func beginReading() throws(SQLiteError) { try statement("BEGIN").run() }

    /// Lets a snapshot go. Nothing was changed, so that undoing is as good as committing, and never refused.
    func endReading() throws(SQLiteError) { try rollback() }

    /// Moves all of the write-ahead log into the file, and leaves the last connection that closes to delete it. For the end, when
    /// nobody reads or writes any more.
    /// - Returns: whether all of it was moved: another program's reading may keep a part of it.
    func checkpointWhole() throws(SQLiteError) -> Bool {
        let code = sqlite3_wal_checkpoint_v2(handle, nil, SQLITE_CHECKPOINT_TRUNCATE, nil, nil)
        if code & 0xFF == SQLITE_BUSY { return false }
        guard code == SQLITE_OK else { throw lastError() }
        _ = psp_sqlite_leave_log_at_close(handle, 0)
        return true
    }

    /// Ends what the connection does at this moment, from any thread.
    func interruption() -> Interruption { Interruption(handle: handle) }

    /// `@unchecked Sendable`: SQLite allows this one call from any thread, as long as the connection is open.
    struct Interruption: @unchecked Sendable {
        fileprivate let handle: OpaquePointer

        func callAsFunction() { sqlite3_interrupt(handle) }
    }

    /// Moves what it can of the write-ahead log into the file without waiting for anyone.
    /// - Returns: frames in the log, and how many of them are in the file now.
    func checkpoint() throws(SQLiteError) -> (log: Int, done: Int) {
        var log: Int32 = 0
        var done: Int32 = 0
        let code = sqlite3_wal_checkpoint_v2(handle, nil, SQLITE_CHECKPOINT_PASSIVE, &log, &done)
        guard code == SQLITE_OK || code & 0xFF == SQLITE_BUSY else { throw lastError() }
        return (Int(log), Int(done))
    }

    /// Copies the whole file into another connection's, some pages at a time. Inside ``reading(_:)`` it is all of one moment.
    /// - Parameter between: called after each part with the pages that are done, and all.
    func copy(
        to other: Database, pagesAtATime pages: Int32, between: (Int, Int) throws(SQLiteError) -> Void
    ) throws(SQLiteError) {
        guard let backup = sqlite3_backup_init(other.handle, "main", handle, "main") else { throw other.lastError() }
        var code = SQLITE_OK
        do throws(SQLiteError) {
            while code == SQLITE_OK {
                code = sqlite3_backup_step(backup, pages)
                let all = Int(sqlite3_backup_pagecount(backup))
                if code == SQLITE_OK || code == SQLITE_DONE { try between(all - Int(sqlite3_backup_remaining(backup)), all) }
            }
        } catch {
            sqlite3_backup_finish(backup)
            throw error
        }
        guard sqlite3_backup_finish(backup) == SQLITE_OK, code == SQLITE_DONE else { throw other.lastError() }
    }

    /// Calls `observe` after each commit with the number of frames in the log.
    /// The observer is kept for the connection's life; SQLite calls it on the connection's own thread.
    func onCommit(_ observer: WALObserver) {
        sqlite3_wal_hook(
            handle,
            { context, _, _, frames in
                if let context { Unmanaged<WALObserver>.fromOpaque(context).takeUnretainedValue().didCommit(frames: Int(frames)) }
                return SQLITE_OK
            }, Unmanaged.passUnretained(observer).toOpaque())
    }
}

/// The length of the write-ahead log after the last commit, in frames.
final class WALObserver {
    var frames = 0
    /// As of the last commit.
    private var committed = 0
    private var hasBegunAnew = false

    /// A commit has left the log with so many frames.
    fileprivate func didCommit(frames: Int) {
        // A commit adds to it, unless it begins anew.
        if frames <= committed { hasBegunAnew = true }
        (committed, self.frames) = (frames, frames)
    }

    /// Whether the log has begun anew since this was asked last.
    func removeBeginning() -> Bool {
        defer { hasBegunAnew = false }
        return hasBegunAnew
    }
}
