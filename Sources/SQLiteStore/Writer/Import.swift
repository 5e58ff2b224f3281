internal import Push

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

    var isDone: Bool { results.count + decided.count == changes.count }

    /// Applies changes until `isOver` says that others have waited long enough; at least one.
    func advance(_ ledger: Ledger, until isOver: () -> Bool) throws(SQLiteError) {
        var next = results.count
        while next < changes.count {
            decided.append(try ledger.apply(changes[next]))
            next += 1
            if isOver() { break }
        }
        if isDone { finish(ledger.outbox, with: results + decided) }
    }

    func committed() {
        results += decided
        decided.removeAll(keepingCapacity: true)
    }

    /// The transaction failed. What was committed before stays; the rest was certainly not done.
    func failed(_ outbox: Outbox, certain: Bool) {
        let rest = Result<ChangeResult, Refusal>.failure(Refusal(certain ? .unavailable : .internalError))
        finish(outbox, with: results + Array(repeating: rest, count: changes.count - results.count))
        results = []
    }

    private func finish(_ outbox: Outbox, with results: [Result<ChangeResult, Refusal>]) {
        let answer = answer
        outbox.confirm(loop) { answer(results) }
    }
}
