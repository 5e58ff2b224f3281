public import Libevent

/// Where a running server is, with the real ports.
public struct ServerAddresses: Hashable, Sendable {
    /// REST listener.
    public let http: SocketAddress
    /// Device listener.
    public let mqtt: SocketAddress
    /// Operators' listener.
    public let admin: SocketAddress

    /// The line that `pspd` prints when it serves, without the line break.
    public var readyLine: String { "ready http=\(http) mqtt=\(mqtt) admin=\(admin)" }

    /// What `DIR/pspd.json` holds. Addresses need no escapes.
    func json(pid: Int32) -> String {
        "{\"http\":\"\(http)\",\"mqtt\":\"\(mqtt)\",\"admin\":\"\(admin)\",\"pid\":\(pid)}\n"
    }
}
