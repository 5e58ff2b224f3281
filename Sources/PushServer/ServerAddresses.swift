public import Libevent

/// Where a running server is, with the real ports. A listener that is switched off has no address.
public struct ServerAddresses: Hashable, Sendable {
    /// REST listener.
    public let http: SocketAddress?
    /// Device listener.
    public let mqtt: SocketAddress?
    /// Operators' listener.
    public let admin: SocketAddress
    /// REST listener with TLS.
    public var https: SocketAddress?
    /// Device listener with TLS.
    public var mqtts: SocketAddress?
    /// Operators' listener with TLS.
    public var admins: SocketAddress?

    /// By the settings' keys, in the order of the ready line.
    var named: [(name: String, address: SocketAddress)] {
        let all = [
            ("http", http), ("mqtt", mqtt), ("admin", admin), ("https", https), ("mqtts", mqtts), ("admins", admins),
        ]
        return all.compactMap { name, address in address.map { (name, $0) } }
    }

    /// The line that `pspd` prints when it serves, without the line break.
    public var readyLine: String { (["ready"] + named.map { "\($0.name)=\($0.address)" }).joined(separator: " ") }

    /// What `DIR/pspd.json` holds. Addresses need no escapes.
    func json(pid: Int32) -> String {
        "{" + named.map { "\"\($0.name)\":\"\($0.address)\"," }.joined() + "\"pid\":\(pid)}\n"
    }
}
