internal import Base
internal import Push
internal import StoreCore

/// One import that goes on: where it stands, and the part of its text that is at hand. Writer only.
///
/// What a slice of it changes and how far it is are one transaction. Until that is committed what was decided in it counts for
/// nothing: after one that failed the import stands where the file says.
final class Import {
    let number: Int64
    /// On whose behalf its lines are applied; `nil` for the installation.
    private let `operator`: OperatorNumber?
    private var committed: ImportTable.Progress
    private var progress: ImportTable.Progress
    private var lines: ImportLines?
    /// Found when the store was opened: the end of the process may have been its doing.
    private var isResumed: Bool
    /// The line that is being applied, and one in which a transaction failed that would fail again: it is applied alone, and if
    /// that fails, not at all.
    private var trying: Int?
    private var doubted: (line: Int, isRefused: Bool)?
    /// How long a slice may take beyond what its steps let expect, in nanoseconds.
    private static let longest: Int64 = 8_000_000
    /// An import that came no further in so many starts of the store is left.
    private static let mostAttempts = 3

    /// - Parameter progress: of one that was found when the store was opened.
    init(_ number: Int64, by operator: OperatorNumber?, resuming progress: ImportTable.Progress? = nil) {
        self.number = number
        self.operator = `operator`
        committed = progress ?? ImportTable.Progress()
        self.progress = committed
        isResumed = progress != nil
    }

    /// What becomes of an import by a slice.
    enum Step {
        case goesOn
        case ends(ImportTable.State)
    }

    /// Applies lines for so many steps: a step is a row of the file that changed, and a line is one at least.
    /// - Parameter took: how long it has gone on since the last slice, in nanoseconds.
    func advance(
        _ tables: Tables, _ changes: DirectoryDecider, steps: inout Int, took: Int64, at now: Int64
    ) throws(SQLiteError) -> Step {
        progress.took += took
        if isResumed { return try beginAgain(tables.imports, &steps) }
        progress.attempts = 0
        let end = try apply(tables, changes, &steps, at: now)
        try tables.imports.write(progress, of: number)
        return end ? .ends(.done) : .goesOn
    }

    /// - Returns: whether it was the last line.
    private func apply(
        _ tables: Tables, _ changes: DirectoryDecider, _ steps: inout Int, at now: Int64
    ) throws(SQLiteError) -> Bool {
        let began = MonotonicClock.nanoseconds
        trying = nil
        if lines == nil { lines = try tables.imports.firstPart(of: number).map { ImportLines($0, after: progress.line) } }
        while steps > 0, MonotonicClock.nanoseconds - began < Self.longest {
            var rest = lines
            let next = rest?.next()
            let isDoubted = next.map { $0.number == doubted?.line } ?? false
            if isDoubted && progress.line > committed.line { break }
            lines = rest
            guard let line = next else { break }
            let before = tables.database.totalChanges
            trying = line.number
            let result = try apply(line, changes, isDoubted: isDoubted, at: now)
            try count(result, of: line.number, tables.imports)
            if case .success(let change) = result, changes.isFollowedUp { progress.followed = (line.number, change) }
            trying = nil
            steps -= max(1, tables.database.totalChanges - before)
            if changes.isBusy || isDoubted { break }
        }
        guard lines?.isAtEnd ?? true else { return false }
        lines = nil
        try tables.imports.removeFirstPart(of: number)
        if changes.isBusy { return false }
        return try !tables.imports.hasParts(number)
    }

    private func apply(
        _ line: ImportLines.Line, _ changes: DirectoryDecider, isDoubted: Bool, at now: Int64
    ) throws(SQLiteError) -> Result<ChangeResult, Refusal> {
        if isDoubted, doubted?.isRefused == true { return .failure(Refusal(.internalError)) }
        switch line.change {
        case .success(let change): return try changes.apply(change, by: `operator`, followingUp: !isDoubted, at: now)
        case .failure(let refusal): return .failure(refusal)
        }
    }

    private func count(_ result: Result<ChangeResult, Refusal>, of line: Int, _ table: ImportTable) throws(SQLiteError) {
        progress.line = line
        progress.followed = nil
        if case .failure(let refusal) = result, progress.tally.failed < ImportReport.toldFailures {
            try table.insert(LineFailure(line: line, refusal), of: number)
        }
        progress.tally.count(result)
    }

    /// What follows from the last line was given up: it took effect, but not as a whole. Written in the same transaction.
    func followUpWasGivenUp(_ table: ImportTable) throws(SQLiteError) {
        guard let (line, result) = progress.followed else { return }
        progress.followed = nil
        progress.tally.recount(result)
        if progress.tally.failed <= ImportReport.toldFailures {
            try table.insert(LineFailure(line: line, Refusal(.internalError)), of: number)
        }
        try table.write(progress, of: number)
    }

    /// Counts the start before anything else is done. A line at which the server ends each time would otherwise end it for ever.
    private func beginAgain(_ table: ImportTable, _ steps: inout Int) throws(SQLiteError) -> Step {
        isResumed = false
        steps -= 1
        progress.attempts += 1
        guard progress.attempts <= Self.mostAttempts else {
            try table.insert(LineFailure(line: progress.line + 1, Refusal(.internalError)), of: number)
            return .ends(.failed)
        }
        try table.write(progress, of: number)
        return .goesOn
    }

    /// - Parameter isFollowedUp: whether something follows from the last line that is still to be done.
    func wasCommitted(isFollowedUp: Bool) {
        if !isFollowedUp { progress.followed = nil }
        committed = progress
    }

    /// The transaction failed.
    func wasUndone() {
        // Not counted yet, if it was to be.
        if progress.attempts > committed.attempts { isResumed = true }
        progress = committed
        lines = nil
    }

    /// Whether a transaction that failed was in the midst of a line.
    var isTryingLine: Bool { trying != nil }

    /// The transaction failed in that line, and would again.
    func wasAtFault() {
        guard let line = trying else { return }
        doubted = (line, isRefused: doubted?.line == line)
        trying = nil
    }
}
