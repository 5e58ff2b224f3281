/// What a connection tells its owner, on its loop.
public enum PostgresEvent: Sendable {
    /// It is in another state.
    case state(PostgresState)
    /// Somebody has notified a channel that it listens to: a bell. Some may have been missed while there was no session, so look
    /// when it becomes ready, too.
    case notification(PostgresNotification)
    /// The server said something beside an answer: for a log.
    case notice(PostgresError)
}

/// What a connection is doing.
public enum PostgresState: Hashable, Sendable {
    /// It has not been opened, or it looks for a server.
    case connecting
    /// There is a session: calls are sent.
    case ready(PostgresSession)
    /// There is none, or none any more; it tries again soon.
    case lost(PostgresLoss)
    /// Its owner has closed it; nothing follows.
    case closed

    /// The session, where there is one.
    public var session: PostgresSession? { if case .ready(let session) = self { session } else { nil } }

    /// Why there is none; `nil`: there is one, or it is being made.
    public var loss: PostgresLoss? { if case .lost(let loss) = self { loss } else { nil } }
}

/// A session with a server.
public struct PostgresSession: Hashable, Sendable {
    /// Which host it is.
    public let host: String
    /// The server's version: 150018 is 15.18.
    public let version: Int
    /// The process that serves it.
    public let processID: Int32
    /// Whether the server was a standby when it answered last; nil: it does not say so (before version 14).
    public internal(set) var isInHotStandby: Bool?
    /// Whether TLS is in use.
    public let isEncrypted: Bool
}

/// A message of NOTIFY.
public struct PostgresNotification: Hashable, Sendable {
    /// The channel.
    public let channel: String
    /// What came with it.
    public let payload: String
    /// The process whose session has sent it.
    public let processID: Int32
}
