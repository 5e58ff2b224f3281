/// What became of a call. Each call has exactly one.
public enum PostgresOutcome: Sendable {
    /// It is done, and as durable as `synchronous_commit` says.
    case rows(PostgresRows)
    /// The server has refused it: certainly nothing of it is done.
    case failed(PostgresError)
    /// It is done, but answered with more than the call had room for.
    case tooLarge
    /// It was sent, and nobody here knows whether it is done, or whether it lasts.
    case unknown(PostgresDoubt)
    /// It was never sent: certainly nothing of it is done.
    case unavailable(PostgresUnavailability)
}

/// Why an outcome is not known.
public enum PostgresDoubt: Hashable, Sendable, CustomStringConvertible {
    /// The session was lost after the call was sent.
    case lost(PostgresLoss)
    /// It succeeded with a warning. A wait for a synchronous standby that somebody cancels ends so: what was committed is on this
    /// server alone, and goes with it.
    case warned(PostgresError)
    /// Its deadline passed behind another call of the same connection; it may still be carried out.
    case late

    /// One line for a log.
    public var description: String {
        switch self {
        case .lost(let loss): "\(loss)"
        case .warned(let warning): "\(warning)"
        case .late: "no answer in time"
        }
    }
}

/// Why a call was not sent.
public enum PostgresUnavailability: Hashable, Sendable, CustomStringConvertible {
    /// There was no session, or it was lost while the call waited; with the last loss, if there was any.
    case notReady(PostgresLoss?)
    /// Its deadline passed while it waited.
    case late
    /// Too many calls wait already.
    case crowded
    /// The connection was closed by its owner.
    case closed

    /// One line for a log.
    public var description: String {
        switch self {
        case .notReady(let loss): loss.map { "no session: \($0)" } ?? "no session yet"
        case .late: "no room in time"
        case .crowded: "too many calls wait"
        case .closed: "closed"
        }
    }
}
