/// What an `HTTPServer` bears.
///
/// A request beyond a size reaches the handler all the same, which sees `headerBytes` and `bodyCount` and refuses it in its own
/// words: without its body as soon as the head is too large, or the announced length or the chunks are beyond.
public struct HTTPLimits: Sendable {
    /// The most bytes of request line and headers that the handler accepts.
    public var maxHeaderBytes: Int
    /// The most bytes of body that the handler accepts.
    public var maxBodyBytes: Int
    /// How long the head of a request may take, from its first byte to its last; then, how long its body may take to its end or
    /// to the next `progressBytes` of it, and the peer to read as much of an answer. Bytes that drip in renew nothing.
    public var transferTimeout: Duration
    /// How long a connection is kept without a request: a new one, and one whose last request has been answered. Replies announce
    /// a second less (`Keep-Alive: timeout=`), for requests that are on their way by then.
    public var idleTimeout: Duration
    /// How many connections the server holds. For a further one the longest silent is closed; where none is silent,
    /// some (`ConnectionBudget.surplus`) are answered that there is no room (`HTTPExchange.isSurplus`).
    public var maxConnections: Int
    /// What the process has for connections, shared with other listeners; nil: more than will ever be needed.
    public var budget: ConnectionBudget?

    /// How many connections may come, and from where; nil: any.
    public var admission: ConnectionAdmission?
    /// How long a request may take in all, from its first byte to its last, whatever progress it makes.
    public var requestTimeout = Duration.seconds(600)

    /// So much of a body, or of an answer, has to come through within `transferTimeout`.
    public static let progressBytes = 64 * 1024

    /// So much of answers lies in the system's buffer of a connection, and not sent yet. The system would take megabytes of each:
    /// who does not read would look like one who does, and be answered the next request that was sent ahead.
    static let unsentBytes: Int32 = 64 * 1024

    /// The limits of a public listener, unless other ones are given.
    public init(
        maxHeaderBytes: Int = 16 * 1024, maxBodyBytes: Int = 64 * 1024, transferTimeout: Duration = .seconds(30),
        idleTimeout: Duration = .seconds(76), maxConnections: Int = 16_384
    ) {
        self.maxHeaderBytes = maxHeaderBytes
        self.maxBodyBytes = maxBodyBytes
        self.transferTimeout = transferTimeout
        self.idleTimeout = idleTimeout
        self.maxConnections = maxConnections
    }
}
