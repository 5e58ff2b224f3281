/// Why there is no session with a server, or no longer.
public enum PostgresLoss: Error, Hashable, Sendable, CustomStringConvertible {
    /// The password's file could not be read.
    case password(String)
    /// No host's name could be resolved.
    case unresolved(String)
    /// A host refused: nobody listens, the password is wrong, its certificate is not trusted, it only reads… The code where the
    /// server said so; what libpq says by itself has none.
    case refused(host: String, String, SQLState? = nil)
    /// A host did not answer within the connect timeout.
    case silent(host: String)
    /// None of several hosts did, and why each: the one that matters need not be the last.
    case everyHost([PostgresLoss])
    /// The new session could not be set up.
    case setup(PostgresError)
    /// The server ended the session, and said why.
    case ended(PostgresError)
    /// The connection broke.
    case broken(String)
    /// The server only reads, where one that writes is wanted.
    case readOnly
    /// A call's deadline had passed, and the server did not answer a request to cancel it.
    case unresponsive
    /// The server was of no use, and another one is looked for.
    case abandoned
    /// It was given back, for others may need it more.
    case yielded
    /// This side closed it.
    case closed
    /// The system has no memory, thread or descriptor left.
    case system(String)

    /// libpq does not tell the two from each other.
    private static let onlyReads = "only reads, as a standby does (or default_transaction_read_only is on)"

    /// A host only reads, where libpq looks for one that writes.
    public var isStandby: Bool {
        if case .refused(_, let text, _) = self { text.hasSuffix("session is read-only") } else { false }
    }

    /// The server has no session left for this one, or has none for its role or its database.
    public var isOfNumber: Bool {
        switch self {
        case .refused(_, _, .tooManyConnections): true
        case .everyHost(let losses): losses.contains(where: \.isOfNumber)
        default: false
        }
    }

    /// One line for a log.
    public var description: String {
        switch self {
        case .password(let text): "the password's file: \(text)"
        case .unresolved(let text): text
        case .refused(let host, let text, _): isStandby ? "\(host): \(Self.onlyReads)" : "\(host): \(text)"
        case .silent(let host): "\(host): no answer"
        case .everyHost(let losses): losses.map(\.description).joined(separator: "; ")
        case .setup(let error), .ended(let error): "\(error)"
        case .broken(let text): text
        case .readOnly: "the server only reads"
        case .unresponsive: "the server does not answer"
        case .abandoned: "the server commits nothing"
        case .yielded: "given back for a while, since not all that are needed together could be had"
        case .closed: "closed"
        case .system(let text): text
        }
    }
}
