/// What an `HTTPServer` bears.
///
/// A request beyond a size reaches the handler all the same, which sees `headerBytes` and `bodyCount` and refuses it in its own
/// words: without its body as soon as the head is too large, or the announced length or the chunks are beyond.
public struct HTTPLimits: Hashable, Sendable {
    /// The most bytes of request line and headers that the handler accepts.
    public var maxHeaderBytes: Int
    /// The most bytes of body that the handler accepts.
    public var maxBodyBytes: Int
    /// How long one request may take to arrive, from its first byte to its last, and one answer to be read by the peer.
    public var transferTimeout: Duration
    /// How long a connection may be silent between two requests, or within one.
    public var idleTimeout: Duration
    /// How many connections the server holds; further ones wait in the system's queue.
    public var maxConnections: Int

    /// The limits of a public listener, unless other ones are given.
    public init(
        maxHeaderBytes: Int = 16 * 1024, maxBodyBytes: Int = 64 * 1024, transferTimeout: Duration = .seconds(30),
        idleTimeout: Duration = .seconds(60), maxConnections: Int = 16_384
    ) {
        self.maxHeaderBytes = maxHeaderBytes
        self.maxBodyBytes = maxBodyBytes
        self.transferTimeout = transferTimeout
        self.idleTimeout = idleTimeout
        self.maxConnections = maxConnections
    }
}
