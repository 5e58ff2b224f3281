/// What changes of the directory have still to do, oldest first: in memory, and with each commit in the file. Writer only.
final class FollowUps {
    private let table: FollowUpTable
    private let facts: FactBook
    private var waiting: ArraySlice<FollowUp> = []
    private var nextNumber: Int64 = 1
    /// The file has those up to this number, but for how far the first has come.
    private var storedUpTo: Int64 = 0
    private var isChanged = false

    init(_ table: FollowUpTable, _ facts: FactBook) throws(SQLiteError) {
        self.table = table
        self.facts = facts
        try reload()
    }

    /// Whether everything is done: only then another change of organisations or devices is decided.
    var isEmpty: Bool { waiting.isEmpty }

    var first: FollowUp? { waiting.first }

    /// - Parameters:
    ///   - position: at which the change took effect.
    ///   - place: where it goes on, if not at the beginning.
    func append(_ work: FollowUp.Work, at position: UInt64, from place: UInt64 = 0) {
        waiting.append(FollowUp(number: nextNumber, position: position, work: work, place: place))
        nextNumber += 1
        isChanged = true
        if case .withdraw(let device) = work { facts.retired = device }
    }

    /// The first one has come so far.
    func move(to place: UInt64) {
        waiting[waiting.startIndex].place = place
        isChanged = true
    }

    /// The first one is done.
    func removeFirst() {
        if case .withdraw = waiting.removeFirst().work { facts.retired = nil }
        isChanged = true
    }

    /// The device whose holder is gone and for whom not all is withdrawn yet. There is one at most: while anything waits, no
    /// other change of a device is decided.
    private var retired: UInt32? {
        for followUp in waiting { if case .withdraw(let device) = followUp.work { return device } }
        return nil
    }

    // MARK: The file

    /// Writes what has changed. Inside a transaction.
    func write() throws(SQLiteError) {
        guard isChanged else { return }
        try table.remove(before: waiting.first?.number ?? nextNumber)
        if let first = waiting.first, first.number <= storedUpTo { try table.write(place: first.place, of: first.number) }
        for followUp in waiting where followUp.number > storedUpTo { try table.insert(followUp) }
        storedUpTo = nextNumber - 1
        isChanged = false
    }

    /// Reads them from the file: at start, and after a transaction that failed.
    func reload() throws(SQLiteError) {
        waiting = try table.all()[...]
        storedUpTo = waiting.last?.number ?? 0
        nextNumber = storedUpTo + 1
        isChanged = false
        facts.retired = retired
    }
}
