/// One question to the server: a statement with its arguments, or a script. It is a transaction of its own.
public struct PostgresCall: Sendable {
    enum Work: Sendable {
        case statement(PostgresStatement, PostgresArguments)
        case script(String)
    }

    let work: Work
    /// How long after it was made it is given up: one that waits is not sent any more, one that the server works on is cancelled
    /// (see ``PostgresConnection``).
    public var deadline: Duration
    /// How many rows it may be answered with.
    public var mostRows: Int
    /// How many bytes of values it may be answered with. A single value is held whole before it is counted: it is the statement
    /// that has to bound it.
    public var mostBytes: Int
    /// Whether a warning that comes with success leaves the outcome unknown: it may say that a synchronous standby was not waited
    /// for. Reads commit nothing.
    public var warningMeansUnknown = true

    /// A call of a statement.
    public init(
        _ statement: PostgresStatement, _ arguments: PostgresArguments = PostgresArguments(), deadline: Duration = .seconds(5),
        mostRows: Int = 10_000, mostBytes: Int = 8 << 20
    ) {
        work = .statement(statement, arguments)
        self.deadline = deadline
        self.mostRows = mostRows
        self.mostBytes = mostBytes
    }

    /// Any number of statements without parameters, as a file of SQL has them; one transaction, unless the script says otherwise.
    /// Its rows are dropped, and it is alone on the connection while it runs: for schemas.
    public init(script: String, deadline: Duration = .seconds(60)) {
        work = .script(script)
        self.deadline = deadline
        mostRows = .max
        mostBytes = .max
    }

    var isScript: Bool {
        if case .script = work { true } else { false }
    }
}
