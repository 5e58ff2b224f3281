internal import Base
internal import StoreCore

/// What store time is when a store is opened.
struct TimeAtStart {
    /// Store time at the boot, in microseconds.
    var base: Int64
    /// Of which boot.
    var boot: String?
    var stretches: Stretches
    /// The file tells something else, and is to be told.
    var isChanged: Bool

    /// Store time goes on: exactly, where the machine has been running since, and else from the last that is known of it. How
    /// long the machine was off, only the wall clock may tell, which ``Timekeeper`` sees as a step.
    /// - Parameters:
    ///   - lastWritten: when the store's files were written last, by the wall clock, in milliseconds.
    ///   - rowsAtATime: how many rows of a directory that knew the wall clock only are changed in one transaction.
    init(_ tables: Tables, _ clocks: SystemClocks, lastWritten: Int64?, rowsAtATime: Int) throws(SQLiteError) {
        guard let record = try tables.clock.record(), let stretches = try tables.clock.stretches() else {
            try self.init(firstOf: tables, clocks, lastWritten, rowsAtATime)
            return
        }
        let newest = try tables.messages.newest().map { $0.created + stretches[$0.seq].shift } ?? .min
        let known = max(record.time, newest)
        let (now, identity) = (clocks.boot(), clocks.bootIdentity())
        let isSameBoot = identity != nil && identity == record.boot
        // In the same boot the latter is behind.
        let time = max(isSameBoot ? record.base + now : .min, known * 1_000)
        self.init(
            base: time - now, boot: identity, stretches: stretches,
            isChanged: !isSameBoot || time - now != record.base)
    }

    private init(base: Int64, boot: String?, stretches: Stretches, isChanged: Bool) {
        (self.base, self.boot, self.stretches, self.isChanged) = (base, boot, stretches, isChanged)
    }

    /// The first start, or that of a directory which knew the wall clock only: store time is what that says.
    ///
    /// In such a directory no time was ever behind an earlier one, so that a clock which was ahead for a moment has dated
    /// everything since. What is dated later than now is at the log's end; it was accepted now, and keeps its lifetime.
    ///
    /// It is done some rows at a time, so that neither a transaction nor the log grows with the directory. A start that was cut
    /// short goes on: what is dated already is not later than now.
    private init(
        firstOf tables: Tables, _ clocks: SystemClocks, _ lastWritten: Int64?, _ rowsAtATime: Int
    ) throws(SQLiteError) {
        var time = clocks.wall()
        // Where a start was cut short, that start has written the files.
        let lastWritten = try tables.meta.number(.lastWritten) ?? lastWritten
        if let newest = try tables.messages.newest()?.created, let lastWritten, newest > time / 1_000, lastWritten > time / 1_000
        {
            // The files were written later than now: it is the clock of now that is wrong.
            time = min(newest, lastWritten) * 1_000
        }
        let boot = clocks.boot()
        let first = Stretches([Stretch(after: 0, since: 0, offset: 0)])
        self.init(base: time - boot, boot: clocks.bootIdentity(), stretches: first, isChanged: false)
        let database = tables.database
        while try database.transact({ () throws(SQLiteError) in
            try tables.messages.bringForward(to: time / 1_000, limit: rowsAtATime)
        }) { _ = try database.checkpoint() }
        try database.transact { () throws(SQLiteError) in
            try tables.clock.write(ClockTable.Record(base: base, boot: self.boot, time: time / 1_000))
            try tables.clock.write(stretches, from: 0)
            try tables.meta.remove(.lastWritten)
        }
    }
}
