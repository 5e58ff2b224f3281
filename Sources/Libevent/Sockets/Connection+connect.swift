internal import Base
internal import CLibevent
internal import Glibc

extension Connection {
    /// Opens a connection to `address`. On the loop's thread only.
    ///
    /// The handler hears `connectionDidOpen` or, if it is refused, `connectionDidClose`. What is sent before is written when it
    /// is open.
    ///
    /// - Parameters:
    ///   - source: the local address to use. With port 0 the system chooses the port only when it knows both ends, so that one
    ///     source address has a full range of ports towards each server.
    ///   - security: whom it trusts; nil: it speaks in clear. `connectionDidOpen` comes when the handshake is done.
    ///   - isResuming: whether it takes up an earlier session, where `security` keeps one.
    public static func connect(
        to address: SocketAddress, from source: SocketAddress? = nil, on loop: EventLoop, security: TLSClientContext? = nil,
        isResuming: Bool = true, handler: any ConnectionHandler
    ) throws(LibeventError) -> Connection {
        loop.preconditionOwned()
        let descriptor = ps_socket(address.family)
        guard descriptor >= 0 else { throw .lastSystemError("socket") }
        do throws(LibeventError) {
            try prepare(descriptor, from: source)
        } catch {
            Glibc.close(descriptor)
            throw error
        }
        let connection = Connection(with: address, on: loop, state: .connecting)
        try connection.begin(descriptor) { () throws(LibeventError) in
            try security?.makeSession(by: loop.turn.socketBIO, to: address.host, isResuming: isResuming)
        }
        connection.handler = handler
        // TCP stands when the socket can be written; a refusal may come at once.
        connection.stream?.watchRoom()
        if address.withStorage({ ps_connect(descriptor, $0, $1) }) != 0, errno != EINPROGRESS { connection.end(.failed(errno)) }
        return connection
    }

    /// Whether the handshake took up an earlier session. False in clear.
    public var isResumed: Bool { stream?.session?.isResumed ?? false }

    private static func prepare(_ descriptor: Int32, from source: SocketAddress?) throws(LibeventError) {
        guard ps_set_option(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, 1) == 0 else { throw .lastSystemError("setsockopt") }
        guard let source else { return }
        if source.port == 0 {
            guard ps_set_option(descriptor, Int32(IPPROTO_IP), IP_BIND_ADDRESS_NO_PORT, 1) == 0 else {
                throw .lastSystemError("setsockopt")
            }
        }
        guard source.withStorage({ ps_bind(descriptor, $0, $1) }) == 0 else {
            if errno == EADDRINUSE { throw .addressInUse(source) }
            throw .lastSystemError("bind \(source)")
        }
    }

    /// This end's address.
    ///
    /// - Throws: `system` when the connection has ended.
    public var localAddress: SocketAddress {
        get throws(LibeventError) {
            guard let stream else { throw .system(call: "getsockname", code: ENOTCONN) }
            return try SocketAddress.local(of: stream.descriptor)
        }
    }
}
