internal import Base
internal import Push
internal import StoreCore

/// Who waits for the end of an import, and how long.
struct ImportWaiter {
    let loop: Int
    /// In monotonic nanoseconds.
    let deadline: Int64
    let answer: @Sendable (Result<ImportReport, StoreError>) -> Void
}

/// The imports that go on between transactions, first come, first served. Writer only.
///
/// All of them are in the file: what is here is what goes on, in order, and who waits for it.
final class Imports {
    private let tables: Tables
    private let time: Timekeeper
    private let changes: DirectoryDecider
    private let outbox: Outbox

    private var running: [Import]
    private var waiters: [Int64: ImportWaiter] = [:]
    /// Imports that begin, and one that ends, with the transaction that is open.
    private var starting: [(new: Import, waiter: ImportWaiter)] = []
    private var ending: Import?
    /// Where a new one may have been begun by this run of the store.
    private let firstOwn: Int64
    /// Something may have been abandoned that is still in the file.
    private var mayHaveAbandoned: Bool
    /// Up to when the time of the first one is counted in what it took, in monotonic nanoseconds; `nil` where none goes on. And
    /// the same with the transaction that is open.
    private var counted: Int64?
    private var counting: Int64?

    /// The ended imports that are remembered.
    private static let kept = 100

    init(_ tables: Tables, _ time: Timekeeper, _ changes: DirectoryDecider, _ outbox: Outbox) throws(SQLiteError) {
        self.tables = tables
        self.time = time
        self.changes = changes
        self.outbox = outbox
        running = try tables.imports.running().map { Import($0.number, by: $0.operator, resuming: $0.progress) }
        firstOwn = try tables.imports.nextNumber()
        mayHaveAbandoned = true
    }

    /// Whether there is anything to do.
    var isIdle: Bool { running.isEmpty && !mayHaveAbandoned }

    // MARK: Coming in

    /// - Returns: the import's number.
    @discardableResult
    func keep(_ part: ImportPart, of id: ImportID) throws(SQLiteError) -> Int64 {
        let known = try tables.imports.receiving(id)
        let number = if let known { known } else { try tables.imports.insert(id, at: time.timeOfDay) }
        try tables.imports.insert(part, of: number)
        return number
    }

    func start(_ number: Int64, by operator: OperatorNumber?, waiter: ImportWaiter) throws(SQLiteError) {
        try tables.imports.start(number, by: `operator`, at: time.timeOfDay)
        starting.append((Import(number, by: `operator`), waiter))
    }

    func abandon(_ id: ImportID) throws(SQLiteError) {
        guard let number = try tables.imports.receiving(id) else { return }
        try tables.imports.abandon(number)
        mayHaveAbandoned = true
    }

    // MARK: Going on

    /// Does a slice of so many steps.
    /// - Returns: how many it was.
    func advance(by size: Int, at now: Int64) throws(SQLiteError) -> Int {
        guard let first = running.first else { return try dropAbandoned() }
        let start = MonotonicClock.nanoseconds
        var left = size
        let took = start - (counted ?? start)
        counting = start
        switch try first.advance(tables, changes, steps: &left, took: took, at: now) {
        case .goesOn: break
        case .ends(let state): try end(first, as: state)
        }
        return size - left
    }

    private func end(_ ended: Import, as state: ImportTable.State) throws(SQLiteError) {
        ending = ended
        mayHaveAbandoned = true
        try tables.imports.end(ended.number, as: state, at: time.timeOfDay)
        if let waiter = waiters[ended.number] {
            // Who is told is told all of it, and nobody else knows its number.
            let report = try report(ended.number)
            try tables.imports.abandon(ended.number)
            outbox.confirm(waiter.loop) { waiter.answer(report) }
        } else {
            try tables.imports.forget(butLast: Self.kept)
        }
    }

    /// Removes a part of an import that will not go on, or at last itself.
    private func dropAbandoned() throws(SQLiteError) -> Int {
        guard let number = try tables.imports.firstAbandoned(before: firstOwn) else {
            mayHaveAbandoned = false
            return 0
        }
        if try tables.imports.hasParts(number) {
            try tables.imports.removeFirstPart(of: number)
        } else {
            try tables.imports.remove(number)
        }
        return 1
    }

    /// What follows from a change was given up that no single call waits for: it may be a line's.
    func followUpWasGivenUp() throws(SQLiteError) { try running.first?.followUpWasGivenUp(tables.imports) }

    // MARK: Transactions

    func committed() {
        running.first?.wasCommitted(isFollowedUp: changes.isFollowedUp)
        if let ending {
            running.removeAll { $0 === ending }
            waiters[ending.number] = nil
        }
        for (new, waiter) in starting {
            running.append(new)
            waiters[new.number] = waiter
        }
        counted = running.isEmpty ? nil : counting ?? counted ?? MonotonicClock.nanoseconds
        (starting, ending, counting) = ([], nil, nil)
    }

    /// The transaction failed. What it was to begin has not begun, and its callers are answered by their jobs; what goes on
    /// stands where it stood, and goes on as soon as the store can write.
    func undone() {
        running.first?.wasUndone()
        (starting, ending, counting) = ([], nil, nil)
    }

    /// Whether a transaction that failed was in the midst of a line.
    var isTryingLine: Bool { running.first?.isTryingLine ?? false }

    /// The transaction failed in that line, and would again.
    func wasAtFault(_ error: SQLiteError) { running.first?.wasAtFault() }

    // MARK: Those who wait

    /// When the first of them has waited long enough, in monotonic nanoseconds.
    var nextDeadline: Int64? { waiters.isEmpty ? nil : waiters.values.reduce(Int64.max) { min($0, $1.deadline) } }

    /// Tells those who have waited long enough how far their imports are.
    /// - Parameter time: monotonic; everybody, where it is `Int64.max`.
    /// - Returns: whether there was anybody.
    func answerWaiters(at time: Int64) -> Bool {
        guard !waiters.isEmpty else { return false }
        let late = waiters.filter { $0.value.deadline <= time }
        for (number, waiter) in late {
            waiters[number] = nil
            let told: Result<ImportReport, StoreError>
            do throws(SQLiteError) { told = try report(number) } catch { told = .failure(.unknown) }
            outbox.answer(waiter.loop) { waiter.answer(told) }
        }
        return !late.isEmpty
    }

    private func report(_ number: Int64) throws(SQLiteError) -> Result<ImportReport, StoreError> {
        guard let report = try tables.imports.report(number) else { return .failure(.unknown) }
        return .success(report)
    }
}
