package import Base
internal import Glibc
internal import Push
package import StoreCore

/// A data directory that is read as a whole, to be moved into another store: what its file held at one moment. The file is left
/// as it is, and no server serves it meanwhile.
///
/// What a row means is the reader's affair; times come with ``stretches``, by which they are read.
package final class StoreSource {
    private let lock: DirectoryLock
    private let file: String
    private let mark: MovedStore
    /// Whether this has put the mark there.
    private var isMarked = false
    private let database: Database
    private let tables: Tables
    private let clocks: SystemClocks
    /// The newest position that was given out.
    package let head: UInt64
    /// By which times are read.
    package let stretches: Stretches
    /// The latest store time that the file knows of.
    package let lastTime: Int64
    /// Store time at the boot, in microseconds, where this machine has been running since the store ended.
    private let base: Int64?
    /// The numbers that tasks' ids begin with, oldest first.
    package let storeNumbers: [TaskNumber.Stretch]
    /// Whether the file is certainly what went on here last: a copy may lack what callers and devices were told.
    package let isCertain: Bool
    /// The last page of cursors that was looked at.
    private var cursors: (page: CursorPage, beyond: [UInt32: [UInt64]])?

    /// - Parameter address: where it is to go on, without a password.
    /// - Throws: also where a server has the directory, where the store is not of this program's version, and where it was moved
    ///   elsewhere.
    package init(directory: String, goingTo address: String, clocks: SystemClocks = SystemClocks()) throws(SQLiteStoreError) {
        mark = MovedStore(directory, address: address)
        file = directory + "/psp.db"
        self.clocks = clocks
        try StoreFile.requireReadable(file, orElse: BilingualText("请给出 pspd 的数据目录", "name the data directory of pspd"))
        lock = try DirectoryLock(directory)
        try mark.refuseElsewhere()
        do {
            database = try Database(examining: file)
            let version = try Schema.check(database)
            guard version == Schema.version else { throw SQLiteStoreError.olderVersion(found: version) }
            try database.beginReading()
            let shared = SharedStretches()
            tables = Tables(database, shared)
            stretches = try tables.clock.stretches() ?? Stretches([Stretch(after: 0, since: 0, offset: 0)])
            shared.set(stretches)
            let newest = try tables.messages.newest()
            head = max(
                newest?.seq ?? 0, UInt64(bitPattern: try tables.meta.number(.head) ?? 0),
                UInt64(bitPattern: try tables.meta.number(.indexedUpTo) ?? 0))
            let record = try tables.clock.record()
            lastTime = max(record?.time ?? 0, newest.map { [stretches] in $0.created + stretches[$0.seq].shift } ?? 0)
            base = record.flatMap { $0.boot != nil && $0.boot == clocks.bootIdentity() ? $0.base : nil }
            storeNumbers = try tables.storeNumbers.all()
            isCertain =
                storeNumbers.last.map { [file, head] in
                    PositionMark.agrees(with: file, store: $0.store, head: head)
                } ?? true
        } catch {
            throw SQLiteStoreError(file, whatever: error)
        }
    }

    /// What was read goes on elsewhere: no server opens the directory from now on.
    package func markMoved() throws(SQLiteStoreError) {
        try mark.write()
        isMarked = true
    }

    /// Nothing of it goes on elsewhere. A mark that was there before stays: it tells of another attempt.
    package func takeMarkBack() {
        if isMarked { mark.remove() }
        isMarked = false
    }

    /// Store time now, and whether that is certain: another boot of the machine, or another machine, knows no more than the
    /// latest time of which the file tells.
    package var time: (now: Int64, isCertain: Bool) {
        guard let base else { return (lastTime, false) }
        return (max((clocks.boot() + base) / 1_000, lastTime), true)
    }

    /// What the wall clock says, in Unix milliseconds.
    package var wallClock: Int64 { clocks.wall() / 1_000 }

    /// What a number of the store is that there is one of.
    package enum Number { case ordinal, organisation, user, configurationVersion }

    /// 0 where none was noted.
    package func number(_ number: Number) throws(SQLiteStoreError) -> Int64 {
        try reading { () throws(SQLiteError) in
            switch number {
            case .ordinal: max(try tables.meta.number(.ordinal) ?? 0, try tables.devices.highestOrdinal())
            case .organisation: try tables.meta.number(.organisation) ?? 0
            case .user: max(try tables.meta.number(.user) ?? 0, try tables.users.highest())
            case .configurationVersion: try tables.meta.number(.configurationVersion) ?? 0
            }
        }
    }

    /// What still follows from changes of the directory.
    package func followUps() throws(SQLiteStoreError) -> [FollowUp] {
        try reading { () throws(SQLiteError) in try tables.followUps.all() }
    }

    /// How far a device is: its cursor, when it was seen last by the wall clock in milliseconds, and what it has acknowledged
    /// beyond its cursor. Fast for devices in the order of their ordinals.
    package func progress(of ordinal: UInt32) throws(SQLiteStoreError) -> (cursor: UInt64, seen: Int64?, beyond: [UInt64]) {
        let number = ordinal / CursorPage.cells
        let (page, beyond) =
            if let cursors, cursors.page.number == number { cursors } else {
                try reading { () throws(SQLiteError) in try tables.cursors.page(number) }
            }
        cursors = (page, beyond)
        let cell = page[ordinal]
        return (cell.cursor, cell.seen == 0 ? nil : Int64(cell.seen) * 1_000, beyond[ordinal] ?? [])
    }

    /// The first position of a row from one on.
    package func firstPosition(from position: UInt64) throws(SQLiteStoreError) -> UInt64? {
        try reading { () throws(SQLiteError) in try tables.messages.position(after: position - 1, count: 1) }
    }

    /// The single number that a query yields.
    package func count(_ sql: StaticString) throws(SQLiteStoreError) -> Int64 {
        try reading { () throws(SQLiteError) in try database.number(sql) ?? 0 }
    }

    /// The rows of a query, one after the other. Of one text there is one reading at a time.
    package func rows(_ sql: StaticString) throws(SQLiteStoreError) -> SourceRows {
        SourceRows(try reading { () throws(SQLiteError) in try database.statement(sql) }, of: file)
    }

    private func reading<Result>(_ body: () throws(SQLiteError) -> Result) throws(SQLiteStoreError) -> Result {
        do throws(SQLiteError) { return try body() } catch { throw SQLiteStoreError(file, error) }
    }
}

/// The rows of a query of a store's file. Columns count from 0.
package final class SourceRows {
    private let statement: Statement
    private let file: String

    fileprivate init(_ statement: Statement, of file: String) { (self.statement, self.file) = (statement, file) }

    /// Goes on to the next row; false at the end.
    package func next() throws(SQLiteStoreError) -> Bool {
        do throws(SQLiteError) { return try statement.step() } catch { throw SQLiteStoreError(file, error) }
    }

    package func number(_ column: Int32) -> Int64 { statement.int(column) }
    package func optionalNumber(_ column: Int32) -> Int64? { statement.optionalInt(column) }
    package func position(_ column: Int32) -> UInt64 { statement.position(column) }
    package func text(_ column: Int32) -> String { statement.text(column) }
    package func optionalText(_ column: Int32) -> String? { statement.optionalText(column) }
    /// A blob, or a text's UTF-8; `nil`: null.
    package func bytes(_ column: Int32) -> [UInt8]? { statement.isNull(column) ? nil : statement.blob(column) }
    /// An address in either of the forms that the store has for one; `nil` for anything else.
    package func address(_ column: Int32) -> IPAddress? { statement.address(column) }
}
