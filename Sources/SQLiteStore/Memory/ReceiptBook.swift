internal import Push
internal import StoreCore

/// The writer's receipts: what is marked is counted once, whatever is told how often. Changes are kept here and written as a
/// whole, some times a second, rather than one by one.
final class ReceiptBook {
    private let table: ReceiptTable
    private let events: EventTable
    private let totals: TotalTable
    private let gate: AcknowledgementGate
    private let faults: Faults
    /// Tasks that were looked at lately.
    private var tasks: [UInt64: TaskReceipts] = [:]
    /// Positions of references, and the tasks that they name.
    private var references: [UInt64: UInt64] = [:]
    /// The task that was asked for last: facts of a batch come for one task, device after device.
    private var latest: (seq: UInt64, receipts: TaskReceipts)?
    private var dirty: [TaskReceipts] = []
    /// Bitmaps that the file does not hold yet as they are.
    private var dirtySets = 0
    /// Reason codes that the file does not hold yet.
    private var rejections: [(seq: UInt64, ordinal: UInt32, reasonCode: UInt8)] = []
    /// How many of the last of them were written in this transaction.
    private var written = (tasks: 0, sets: 0, rejections: 0)

    /// Tasks whose receipts could not be written in this transaction, and never will.
    private var refused: Set<UInt64> = []

    /// Tasks and references are forgotten above this many, and when their bitmaps are more than that.
    private static let capacity = 20_000
    private static let setCapacity = 8_192
    private var setCount = 0

    /// The bits of a single device's marks of which it has one.
    private static let exclusive: Int64 = [TaskReceipts.Mark.delivered, .skipped, .withdrawn, .rejected]
        .reduce(0) { $0 | 1 << $1.rawValue }

    /// How many tasks it holds.
    var taskCount: Int { tasks.count }

    /// Whether it holds so much that it should be written and forgotten.
    var isCrowded: Bool { tasks.count > Self.capacity || references.count > Self.capacity || setCount > Self.setCapacity }

    init(
        _ table: ReceiptTable, _ events: EventTable, _ totals: TotalTable, _ gate: AcknowledgementGate, _ faults: Faults
    ) {
        self.table = table
        self.events = events
        self.totals = totals
        self.gate = gate
        self.faults = faults
    }

    /// A task's receipts by the position of its row or of a reference to it; `nil` once it is forgotten.
    func receipts(at seq: UInt64) throws(SQLiteError) -> TaskReceipts? {
        if let latest, latest.seq == seq { return latest.receipts }
        guard let found = try find(seq) else { return nil }
        latest = (seq, found)
        return found
    }

    private func find(_ seq: UInt64) throws(SQLiteError) -> TaskReceipts? {
        if let known = tasks[references.isEmpty ? seq : references[seq] ?? seq] { return known }
        var found = try table.find(seq)
        if case .reference(let task) = found {
            references[seq] = task
            if let known = tasks[task] { return known }
            found = try table.find(task)
        }
        guard case .task(let receipts) = found else { return nil }
        tasks[receipts.seq] = receipts
        return receipts
    }

    /// A new row's receipts need no look at the file.
    func insert(_ row: StoredRow) { tasks[row.seq] = TaskReceipts(row) }

    /// Somebody has ended a task.
    func ended(_ seq: UInt64, _ end: StoredRow.End) { tasks[seq]?.end = end }

    // MARK: Marks

    func has(_ mark: TaskReceipts.Mark, _ ordinal: UInt32, in receipts: TaskReceipts) throws(SQLiteError) -> Bool {
        let before = receipts.setCount
        defer { setCount += receipts.setCount - before }
        return try table.has(mark, ordinal, in: receipts)
    }

    /// Marks a device, and counts it if it was not marked.
    func mark(_ mark: TaskReceipts.Mark, _ ordinal: UInt32, in receipts: TaskReceipts) throws(SQLiteError) {
        try change(mark, ordinal, in: receipts, to: true)
    }

    /// Takes a mark back.
    func unmark(_ mark: TaskReceipts.Mark, _ ordinal: UInt32, in receipts: TaskReceipts) throws(SQLiteError) {
        try change(mark, ordinal, in: receipts, to: false)
    }

    /// A device's PUBACK, its being left out, or its being withdrawn: only for one that is in no stored state yet. Where it fails
    /// nothing is changed.
    func settle(_ mark: TaskReceipts.Mark, _ ordinal: UInt32, at seq: UInt64, now: Int64) throws(SQLiteError) {
        guard let receipts = try receipts(at: seq) else { return }
        try settle(mark, ordinal, in: receipts, now: now)
    }

    /// A device's PUBACK by which it does not take the message.
    func reject(_ ordinal: UInt32, at seq: UInt64, _ reasonCode: UInt8, now: Int64) throws(SQLiteError) {
        guard let receipts = try receipts(at: seq) else { return }
        try settle(.rejected, ordinal, in: receipts, now: now)
        // Also where it was known: that it rejects may be in the file, and the reason not yet.
        if try has(.rejected, ordinal, in: receipts) { rejections.append((receipts.seq, ordinal, reasonCode)) }
    }

    private func settle(
        _ mark: TaskReceipts.Mark, _ ordinal: UInt32, in receipts: TaskReceipts, now: Int64
    ) throws(SQLiteError) {
        if ordinal == receipts.only {
            return settleOnly(mark, in: receipts, now: now)
        }
        if mark != .delivered, try has(.delivered, ordinal, in: receipts) { return }
        if mark != .skipped, try has(.skipped, ordinal, in: receipts) { return }
        if mark != .withdrawn, try has(.withdrawn, ordinal, in: receipts) { return }
        if mark != .rejected, try has(.rejected, ordinal, in: receipts) { return }
        try self.mark(mark, ordinal, in: receipts)
        complete(receipts, at: now)
    }

    /// The same of a unicast's device: all that changes is taken out and put back at once.
    private func settleOnly(_ mark: TaskReceipts.Mark, in receipts: TaskReceipts, now: Int64) {
        var standing = receipts.standing
        let bit = Int64(1) << mark.rawValue
        // Each mark is a bit: one look at all of them.
        guard standing.state & Self.exclusive == 0 else { return }
        standing.state |= bit
        standing.counters[mark] += 1
        if receipts.isMessage, standing.completedAt == nil, receipts.rest(of: standing.counters) == 0 {
            standing.completedAt = now
        }
        let wasDirty = standing.isDirty
        standing.isDirty = true
        receipts.standing = standing
        if !wasDirty { dirty.append(receipts) }
    }

    private func change(
        _ mark: TaskReceipts.Mark, _ ordinal: UInt32, in receipts: TaskReceipts, to marked: Bool
    ) throws(SQLiteError) {
        if ordinal == receipts.only {
            let bit = Int64(1) << mark.rawValue
            guard (receipts.state & bit != 0) != marked else { return }
            receipts.state ^= bit
        } else {
            let before = receipts.setCount
            let set = try table.set(mark, chunk: ordinal >> 16, of: receipts)
            setCount += receipts.setCount - before
            let low = UInt16(truncatingIfNeeded: ordinal)
            let wasDirty = set.isDirty
            guard marked ? set.insert(low) : set.remove(low) else { return }
            if !wasDirty { dirtySets += 1 }
        }
        touch(receipts)
        receipts.add(marked ? 1 : -1, to: mark)
    }

    // MARK: Counters

    /// Remembers when a message had nothing pending for the first time: its retention begins there.
    func complete(_ receipts: TaskReceipts, at now: Int64) {
        guard receipts.isMessage, receipts.rest == 0, receipts.completedAt == nil else { return }
        receipts.completedAt = now
        touch(receipts)
    }

    /// Counts an event of a device that was told for the first time.
    func count(_ event: ReceiptEvent, in receipts: TaskReceipts) {
        switch event {
        case .opened: receipts.counters.opened += 1
        case .applied: receipts.counters.applied += 1
        case .failed: receipts.counters.failed += 1
        }
        touch(receipts)
    }

    private func touch(_ receipts: TaskReceipts) {
        guard !receipts.isDirty else { return }
        receipts.isDirty = true
        dirty.append(receipts)
    }

    // MARK: Writing

    /// What is to be written, in steps: a task's counters, a bitmap, a reason code.
    var steps: Int { dirty.count + dirtySets + rejections.count }

    /// Writes what has changed, or of it about so many steps. Inside a transaction.
    /// - Returns: how many they were.
    func write(atMost limit: Int) throws(SQLiteError) -> Int {
        written = (0, 0, 0)
        refused.removeAll()
        for receipts in dirty.reversed() {
            if written.tasks + written.sets >= limit { break }
            try write(receipts)
        }
        try addToTotals(dirty.suffix(written.tasks))
        for (seq, ordinal, reasonCode) in rejections.suffix(max(0, limit - written.tasks - written.sets)) {
            written.rejections += 1
            // Of an acknowledgement that is not counted nobody is told why it was one.
            if refused.contains(seq) { continue }
            let detail = "0x" + String(reasonCode, radix: 16, uppercase: true)
            _ = try faults.spare("why a device rejected a message is not kept") { () throws(SQLiteError) in
                _ = try events.insert(RecipientState.rejectionNumber, of: seq, by: ordinal, detail: detail)
            }
        }
        return written.tasks + written.sets + written.rejections
    }

    private func write(_ receipts: TaskReceipts) throws(SQLiteError) {
        let sets = receipts.dirtySets
        let isWritten = try faults.spare("acknowledgements of a task are not counted") { () throws(SQLiteError) in
            // A statement alone is done whole or not at all; bitmaps without their counters would pass for counted ever after.
            guard !sets.isEmpty else { return try table.write(receipts) }
            try table.whole { () throws(SQLiteError) in
                for (mark, chunk, set) in sets { try table.write(set, mark, chunk: chunk, of: receipts.seq) }
                try table.write(receipts)
            }
        }
        if !isWritten {
            refused.insert(receipts.seq)
            gate.uncounted += max(1, receipts.stored.rest - receipts.counters.rest)
        }
        written.sets += sets.count
        written.tasks += 1
    }

    /// The sums of tasks that changed change with them; one that is at fault keeps no other from it.
    private func addToTotals(_ changed: ArraySlice<TaskReceipts>) throws(SQLiteError) {
        guard !changed.isEmpty else { return }
        let loss = "a sum by tag is not kept"
        var changes: [TotalKey: Counts] = [:]
        let isSummed = try faults.spare(loss) { () throws(SQLiteError) in
            let summed = try totals.upTo()
            for receipts in changed {
                guard let key = receipts.total, receipts.seq <= summed, !refused.contains(receipts.seq) else { continue }
                let isExpired = receipts.mayExpire ? try totals.isExpired(receipts.seq) : false
                changes[key, default: Counts()] += receipts.change(isExpired: isExpired)
            }
        }
        guard isSummed else { return }
        for (key, change) in changes {
            _ = try faults.spare(loss) { () throws(SQLiteError) in try totals.add(change, to: key) }
        }
    }

    /// What was written is committed.
    func committed() {
        for receipts in dirty.suffix(written.tasks) {
            receipts.isDirty = false
            receipts.stored = receipts.counters
            for (_, _, set) in receipts.dirtySets { set.isDirty = false }
        }
        dirty.removeLast(written.tasks)
        dirtySets -= written.sets
        rejections.removeLast(written.rejections)
        written = (0, 0, 0)
        // The file has the last word on them.
        for seq in refused { drop(seq) }
        refused.removeAll()
        guard isCrowded, dirty.isEmpty else { return }
        latest = nil
        tasks.removeAll(keepingCapacity: true)
        references.removeAll(keepingCapacity: true)
        setCount = 0
    }

    /// Forgets everything that is not in the file.
    func discard() {
        latest = nil
        tasks.removeAll()
        references.removeAll()
        dirty.removeAll()
        dirtySets = 0
        rejections.removeAll()
        written = (0, 0, 0)
        refused.removeAll()
        setCount = 0
    }

    /// Forgets a task that retention removed.
    func forget(_ seq: UInt64) {
        rejections.removeAll { $0.seq == seq }
        guard let receipts = drop(seq), receipts.isDirty else { return }
        dirtySets -= receipts.dirtySets.count
        dirty.removeAll { $0 === receipts }
    }

    @discardableResult
    private func drop(_ seq: UInt64) -> TaskReceipts? {
        latest = nil
        references[seq] = nil
        guard let receipts = tasks.removeValue(forKey: seq) else { return nil }
        setCount -= receipts.setCount
        return receipts
    }
}
