internal import Push
internal import StoreCore

/// Many changes of the directory, applied in slices between pushes. Writer only.
final class Import {
    private let changes: [DirectoryChange]
    private var results: [Result<ChangeResult, Refusal>] = []
    private let loop: Int
    private let answer: @Sendable ([Result<ChangeResult, Refusal>]) -> Void
    /// Results of the transaction that is open: they count once it is committed.
    private var decided: [Result<ChangeResult, Refusal>] = []

    init(
        _ changes: [DirectoryChange], loop: Int, answer: @escaping @Sendable ([Result<ChangeResult, Refusal>]) -> Void
    ) {
        self.changes = changes
        self.loop = loop
        self.answer = answer
        results.reserveCapacity(changes.count)
    }

    /// A transaction with it was committed. Until then its job answers if the transaction fails.
    private(set) var isBegun = false

    var isDone: Bool { results.count + decided.count == changes.count }

    /// Applies so many of its changes.
    /// - Returns: how many there were.
    func advance(_ decisions: Decisions, by count: Int, at now: Int64) throws(SQLiteError) -> Int {
        let slice = changes[results.count..<min(results.count + count, changes.count)]
        for change in slice { decided.append(try decisions.changes.apply(change, at: now)) }
        if isDone { finish(decisions.outbox, with: results + decided) }
        return slice.count
    }

    func committed() {
        isBegun = true
        results += decided
        decided.removeAll(keepingCapacity: true)
    }

    /// The transaction failed. What was committed before stays; what was decided in it may be done if `isCertain` is false; the
    /// rest was not begun.
    func failed(_ outbox: Outbox, isCertain: Bool) {
        let undone = Result<ChangeResult, Refusal>.failure(Refusal(.unavailable))
        let unknown = Result<ChangeResult, Refusal>.failure(Refusal(isCertain ? .unavailable : .internalError))
        let rest = changes.count - results.count - decided.count
        finish(
            outbox, with: results + Array(repeating: unknown, count: decided.count) + Array(repeating: undone, count: rest))
    }

    private func finish(_ outbox: Outbox, with results: [Result<ChangeResult, Refusal>]) {
        let answer = answer
        outbox.confirm(loop) { answer(results) }
    }
}

/// The imports that go on between transactions, first come, first served. Writer only.
final class Imports {
    private var waiting: [Import] = []

    var count: Int { waiting.count }
    var isEmpty: Bool { waiting.isEmpty }

    func append(_ new: Import) { waiting.append(new) }

    /// Applies so many changes of the first one.
    /// - Returns: how many there were.
    func advance(_ decisions: Decisions, by count: Int, at now: Int64) throws(SQLiteError) -> Int {
        try waiting.first?.advance(decisions, by: count, at: now) ?? 0
    }

    func committed() {
        for begun in waiting { begun.committed() }
        waiting.removeAll { $0.isDone }
    }

    /// The transaction failed: none goes on. Those that it was to begin are answered by their jobs.
    func failed(_ outbox: Outbox, isCertain: Bool) {
        for begun in waiting where begun.isBegun { begun.failed(outbox, isCertain: isCertain) }
        waiting.removeAll()
    }
}
