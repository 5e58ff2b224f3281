/// How far an import is.
public struct ImportReport: Hashable, Sendable {
    /// Where an import stands.
    public enum State: String, Hashable, Sendable, CaseIterable {
        /// It goes on, or will as soon as the store can write.
        case running
        /// Every line was applied or refused.
        case done
        /// It was left: each start of the server failed at the same place.
        case failed
    }

    /// Its number.
    public let id: ImportID
    /// Where it stands.
    public let state: State
    /// Lines that say something.
    public let lines: Int
    /// What became of those that were applied so far.
    public let tally: ImportTally
    /// When it began, Unix milliseconds.
    public let startedAt: Int64
    /// When it ended, Unix milliseconds; `nil` while it goes on.
    public let endedAt: Int64?
    /// How long it will take, in milliseconds, by what it took so far; `nil` where nobody can know yet.
    public let timeLeft: Int64?
    /// The first lines that failed, at most ``toldFailures``. A list of imports leaves them out.
    public let failures: [LineFailure]

    /// The first failing lines are told one by one; the rest are counted.
    public static let toldFailures = 100

    /// An import as of one moment.
    public init(
        id: ImportID, state: State, lines: Int, tally: ImportTally, startedAt: Int64, endedAt: Int64?, timeLeft: Int64?,
        failures: [LineFailure]
    ) {
        self.id = id
        self.state = state
        self.lines = lines
        self.tally = tally
        self.startedAt = startedAt
        self.endedAt = endedAt
        self.timeLeft = timeLeft
        self.failures = failures
    }
}

/// What became of lines.
public struct ImportTally: Hashable, Sendable {
    /// They made a record.
    public var created = 0
    /// They changed one, or left it as it was.
    public var updated = 0
    /// They were refused, or could not be done as a whole.
    public var failed = 0
    /// All of them.
    public var done: Int { created + updated + failed }

    /// No line yet.
    public init() {}

    /// Counts a line.
    public mutating func count(_ result: Result<ChangeResult, Refusal>) {
        switch result {
        case .success(.created): created += 1
        case .success: updated += 1
        case .failure: failed += 1
        }
    }

    /// A line that was counted as applied has failed.
    public mutating func recount(_ result: ChangeResult) {
        if case .created = result { created -= 1 } else { updated -= 1 }
        failed += 1
    }
}

/// A line of an import that was refused.
public struct LineFailure: Hashable, Sendable {
    /// Its number in the text, from 1.
    public let line: Int
    /// The row of the catalogue.
    public let code: ErrorCode
    /// The field at fault, where there is one.
    public let field: String?
    /// Why, for people: in both languages, since nobody knows yet who will ask.
    public let message: BilingualText

    /// What a store has kept.
    public init(line: Int, code: ErrorCode, field: String?, message: BilingualText) {
        self.line = line
        self.code = code
        self.field = field
        self.message = message
    }

    /// A line that was refused now.
    public init(line: Int, _ refusal: Refusal) {
        let message = BilingualText(refusal.message(in: .chinese), refusal.message(in: .english))
        self.init(line: line, code: refusal.code, field: refusal.field, message: message)
    }
}
