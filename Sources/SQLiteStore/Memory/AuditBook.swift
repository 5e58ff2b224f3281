internal import Base
internal import Push
internal import StoreCore

/// Writes the audit log. What belongs to a change is written with it; what nobody waits for is remembered until the next
/// transaction, which it has made soon, and comes before what is written then. Writer only.
final class AuditBook {
    /// How many are remembered while nothing can be written.
    private static let most = 4_096
    /// How long one may wait to be written, in nanoseconds.
    private static let time: Int64 = 100_000_000
    /// After how long an entry tells how many refusals found no room, in nanoseconds.
    private static let leftOutTime: Int64 = 60_000_000_000

    private struct Waiting {
        let entry: AuditEntry
        let keeping: AuditTable.Keeping
    }

    private let table: AuditTable
    private let clock: Timekeeper
    private let targets: AuditedTargets
    private let faults: Faults
    private let figures: AuditFigures
    /// Nothing can be written any more.
    private var isClosed = false
    private var waiting: [Waiting] = []
    private var waitingSince: Int64 = 0
    /// Which refusals have an entry.
    private var refused = AuditThrottle()
    /// Those that have one in this transaction.
    private var admitted: [AuditEntry] = []
    /// Since when there are some that have found no room.
    private var leftOutSince: Int64 = 0
    /// How many found no room, which no entry tells yet.
    private var lost = 0
    /// How many could not be written in this transaction, and never will.
    private var missed = 0
    /// Of those that wait so many are written in this transaction, of the lost so many are told, and so many were written in all.
    private var written = (waiting: 0, lost: 0, all: 0)

    init(_ table: AuditTable, _ clock: Timekeeper, _ targets: AuditedTargets, _ faults: Faults, _ figures: AuditFigures) {
        self.table = table
        self.clock = clock
        self.targets = targets
        self.faults = faults
        self.figures = figures
    }

    // MARK: What nobody waits for

    /// Remembers what changes nothing.
    func record(_ entry: AuditEntry) {
        guard waiting.count < Self.most, !isClosed else {
            lost += 1
            return figures.lost.add(1)
        }
        if waiting.isEmpty { waitingSince = MonotonicClock.nanoseconds }
        waiting.append(Waiting(entry: entry, keeping: keeping(entry, targets.organisationsIfReadable(of: entry))))
    }

    /// When what waits should be written at the latest, in monotonic nanoseconds; `nil` where nothing does.
    var due: Int64? {
        if !waiting.isEmpty { return waitingSince + Self.time }
        return refused.hasLeftOut ? leftOutSince + Self.leftOutTime : nil
    }

    /// Whether it should be written now.
    var isDue: Bool { due.map { MonotonicClock.nanoseconds >= $0 } ?? false }

    // MARK: What is refused, or changes nothing

    /// Whether such a call has an entry: see ``AuditThrottle``.
    func admits(_ entry: AuditEntry) -> Bool {
        let hadLeftOut = refused.hasLeftOut
        guard refused.admit(entry, at: clock.now / 60_000) else {
            if !hadLeftOut, refused.hasLeftOut { leftOutSince = MonotonicClock.nanoseconds }
            return false
        }
        admitted.append(entry)
        return true
    }

    /// Has those that found no room told with the others that are lost.
    private func loseLeftOut() {
        let count = refused.takeLeftOut()
        lost += count
        figures.lost.add(count)
    }

    // MARK: What belongs to a change

    /// Where a target is; asked before a change and after it, since the change may move or remove it.
    func organisations(of entry: AuditEntry) throws(SQLiteError) -> String? { try targets.organisations(of: entry) }

    /// Writes an entry in this transaction.
    /// - Parameter before: where its target was before the change.
    func write(_ entry: AuditEntry, before: String?) throws(SQLiteError) {
        try write()
        let after = try organisations(of: entry)
        let both = before == after ? before : (before ?? "") + (after ?? "")
        try table.insert(entry, keeping(entry, both))
        written.all += 1
    }

    private func keeping(_ entry: AuditEntry, _ organisations: String?) -> AuditTable.Keeping {
        AuditTable.Keeping(
            at: clock.now, ahead: clock.offset, scope: entry.scope.flatMap { targets.number(of: $0) },
            organisations: organisations)
    }

    // MARK: Transactions

    /// Writes what waits.
    func write() throws(SQLiteError) {
        if refused.hasLeftOut, MonotonicClock.nanoseconds >= leftOutSince + Self.leftOutTime { loseLeftOut() }
        for each in waiting[written.waiting...] {
            let isWritten = try faults.spare("an audit entry is missing") { () throws(SQLiteError) in
                try table.insert(each.entry, each.keeping)
            }
            written.waiting += 1
            if isWritten { written.all += 1 } else { missed += 1 }
        }
        try writeLost()
    }

    /// Tells in an entry how many are missing. Where that one cannot be written either, the next transaction tries it again.
    private func writeLost() throws(SQLiteError) {
        let lost = lost + missed
        guard lost > written.lost else { return }
        let entry = AuditEntry.lost(lost - written.lost)
        let isWritten = try faults.spare("audit entries are missing, and none tells of it") { () throws(SQLiteError) in
            try table.insert(entry, keeping(entry, nil))
        }
        guard isWritten else { return }
        written.lost = lost
        written.all += 1
    }

    /// What was written is in the file.
    func committed() {
        admitted.removeAll(keepingCapacity: true)
        guard written.waiting + written.all > 0 else { return }
        figures.written.add(written.all)
        figures.lost.add(missed)
        waiting.removeFirst(written.waiting)
        lost += missed - written.lost
        written = (0, 0, 0)
        missed = 0
    }

    /// The transaction was undone: what waited still waits.
    func undone() {
        written = (0, 0, 0)
        missed = 0
        for entry in admitted { refused.forget(entry) }
        admitted.removeAll(keepingCapacity: true)
    }

    /// The store ends: the next transaction is the last.
    func announceEnd() { loseLeftOut() }

    /// Nothing is written any more.
    func close() {
        isClosed = true
        figures.lost.add(waiting.count)
        waiting = []
    }
}
