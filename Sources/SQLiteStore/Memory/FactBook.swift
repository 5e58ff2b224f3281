internal import Base
internal import Push
internal import StoreCore

/// What devices acknowledged: in the books at once, in the file soon. Until it is there, each fact is remembered: after a
/// transaction that failed the books are read again from the file, and the facts, which may be told any number of times, are told
/// once more.
final class FactBook {
    private enum Fact {
        case delivery(Delivery)
        case floor(UInt32, UInt64)
    }

    let cursors: CursorBook
    let receipts: ReceiptBook
    private let gate: AcknowledgementGate
    private let faults: Faults
    /// Facts that the file does not hold yet.
    private var unwritten: [Fact] = []
    /// When the oldest of them was told, in monotonic nanoseconds: a wall clock may stand still.
    private var unwrittenSince: Int64 = 0
    /// A device whose holder is gone, and what was pending for it is being withdrawn: what it acknowledges counts no more.
    var retired: UInt32?
    /// Nothing can be written any more: a redelivery after the restart is what is left.
    private var isClosed = false
    /// Facts that will never be in the file, since it was closed to them.
    private var lost = 0
    /// Facts that were told once more since the store was opened.
    private(set) var replayed = 0
    /// Facts that the file does not hold, and will not if the store ends now.
    var missing: Int { unwritten.count + lost }

    /// How many facts, and for how many nanoseconds, may wait before they are written; or how many steps of writing.
    private static let limit = 8_192
    private static let time: Int64 = 100_000_000
    private let mostSteps: Int
    /// The most steps that writing one takes: its task's counters, a bitmap, a reason code, its cursor, what lies beyond that.
    private static let stepsOfFact = 5
    /// How many facts are kept while nothing can be written. Above it loops are to tell no more: what a device acknowledges then
    /// is not settled, and comes to it again.
    private let capacity: Int

    init(
        _ cursors: CursorBook, _ receipts: ReceiptBook, _ gate: AcknowledgementGate, _ faults: Faults,
        _ tuning: SQLiteStore.Tuning
    ) {
        self.cursors = cursors
        self.receipts = receipts
        self.gate = gate
        self.faults = faults
        (mostSteps, capacity) = (tuning.steps, tuning.mostFacts)
    }

    /// Acknowledgements. A page that cannot be read for a moment loses none: they are remembered all the same.
    func settle(_ deliveries: [Delivery], at now: Int64) throws(SQLiteError) {
        defer { if isFull { gate.isOpen = false } }
        for (index, delivery) in deliveries.enumerated() {
            do throws(SQLiteError) {
                if try take(delivery, at: now) { remember(.delivery(delivery)) }
            } catch {
                for delivery in deliveries[index...] { remember(.delivery(delivery)) }
                throw error
            }
        }
    }

    /// Everything of a device up to there is settled.
    func settle(_ ordinal: UInt32, upTo floor: UInt64) throws(SQLiteError) {
        // One that is forgotten costs nothing: what was acknowledged below it is told by facts of its own.
        if !isFull { remember(.floor(ordinal, floor)) }
        _ = try unlessAtFault { () throws(SQLiteError) in try cursors.settle(ordinal, nil, upTo: floor) }
    }

    private func remember(_ fact: Fact) {
        guard !isClosed else {
            lost += 1
            return
        }
        if unwritten.isEmpty { unwrittenSince = MonotonicClock.nanoseconds }
        unwritten.append(fact)
    }

    /// - Returns: whether it is to be remembered. One that would fail however often it were told is not.
    private func take(_ delivery: Delivery, at now: Int64) throws(SQLiteError) -> Bool {
        let ordinal = delivery.device.ordinal
        if ordinal == retired { return true }
        return try unlessAtFault { () throws(SQLiteError) in
            try cursors.settle(ordinal, delivery.position.raw, upTo: delivery.settledUpTo.raw)
            let seq = delivery.position.raw
            switch delivery.kind {
            case .delivered: try receipts.settle(.delivered, ordinal, at: seq, now: now)
            case .skipped: try receipts.settle(.skipped, ordinal, at: seq, now: now)
            case .rejected(let reasonCode): try receipts.reject(ordinal, at: seq, reasonCode, now: now)
            }
        }
    }

    /// The device tells nothing a second time, and would be told it for ever: so it is not counted, and all others are.
    @inline(__always)
    private func unlessAtFault(_ body: () throws(SQLiteError) -> Void) throws(SQLiteError) -> Bool {
        if try faults.spare("an acknowledgement is not counted", body) { return true }
        gate.uncounted += 1
        return false
    }

    // MARK: Writing

    /// Whether anything may still be written.
    var isWritable: Bool { !isClosed }

    /// Whether facts wait to be written; the writer's pause is short then.
    var hasUnwritten: Bool { !unwritten.isEmpty }

    /// Whether no more facts are to be told. A closed book keeps none, and needs no bound.
    var isFull: Bool { !isClosed && unwritten.count >= capacity }

    /// How much is to be written, in steps of some microseconds.
    var steps: Int { receipts.steps + cursors.steps }

    /// Whether a transaction has enough to write. Not more facts than that either: a store that can write is never full of them.
    var isLarge: Bool {
        let count = unwritten.count
        // So many facts lead to no more steps than that.
        guard count * Self.stepsOfFact >= mostSteps else { return false }
        return count >= Self.limit || steps >= mostSteps
    }

    /// When the books should be written at the latest, in monotonic nanoseconds; `nil` where they are.
    var due: Int64? { unwritten.isEmpty ? nil : unwrittenSince + Self.time }

    /// Whether the books should be written now.
    var isDue: Bool {
        // Without a fact there may be much to write too: tasks that nobody waits for.
        guard let due else { return receipts.isCrowded || receipts.steps >= mostSteps }
        return MonotonicClock.nanoseconds >= due || isLarge || receipts.isCrowded
    }

    /// Writes the books, or of them about so many steps. Inside a transaction.
    ///
    /// Cursors come last, when every receipt is written: what lies before a device's cursor is never told again.
    /// - Returns: how many steps it was.
    @discardableResult
    func write(atMost limit: Int = .max) throws(SQLiteError) -> Int {
        let mayWriteCursors = receipts.steps <= limit
        let written = try receipts.write(atMost: limit)
        // Also where it is none: cursors that a transaction wrote in vain are not to pass for written by this one.
        return try written + cursors.write(atMost: mayWriteCursors ? limit - written : 0)
    }

    /// What was written is committed.
    func committed() {
        receipts.committed()
        cursors.committed()
        guard steps == 0 else { return }
        unwritten.removeAll(keepingCapacity: unwritten.count <= 2 * Self.limit)
        gate.isOpen = !isFull
    }

    /// Forgets everything of the books that is not in the file.
    func discard() {
        receipts.discard()
        cursors.discard()
    }

    /// Tells the books once more what the file does not hold.
    func replay(at now: Int64) throws(SQLiteError) {
        replayed += unwritten.count
        // Where one fails for a moment, all of them are still there to be told again.
        var kept: [Fact] = []
        kept.reserveCapacity(unwritten.count)
        for fact in unwritten {
            let isTaken =
                switch fact {
                case .delivery(let delivery): try take(delivery, at: now)
                case .floor(let ordinal, let floor):
                    try unlessAtFault { () throws(SQLiteError) in try cursors.settle(ordinal, nil, upTo: floor) }
                }
            if isTaken { kept.append(fact) }
        }
        unwritten = kept
    }

    /// Nothing is written any more.
    func close() {
        isClosed = true
        lost += unwritten.count
        unwritten.removeAll()
        gate.isOpen = true
    }
}
