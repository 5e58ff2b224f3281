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
        if let security { return try connect(descriptor, to: address, on: loop, by: security, isResuming, handler) }
        let connection = try Connection(descriptor: descriptor, peer: address, on: loop, state: .connecting)
        connection.handler = handler
        bufferevent_enable(connection.transport?.stream, ps_ev_read())
        let result = address.withStorage { storage, length in
            storage.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bufferevent_socket_connect(connection.transport?.stream, $0, Int32(length))
            }
        }
        // A refusal may come at once; libevent may also have told it by the event callback.
        if result != 0 { connection.end(.failed(errno)) }
        return connection
    }

    /// The handshake begins as soon as the socket can be written, which is when TCP stands; a refusal shows there too.
    private static func connect(
        _ descriptor: Int32, to address: SocketAddress, on loop: EventLoop, by context: TLSClientContext, _ isResuming: Bool,
        _ handler: any ConnectionHandler
    ) throws(LibeventError) -> Connection {
        let result = address.withStorage { ps_connect(descriptor, $0, $1) }
        guard result == 0 || errno == EINPROGRESS else {
            let error = LibeventError.lastSystemError("connect")
            Glibc.close(descriptor)
            throw error
        }
        let transport = try Transport(
            connecting: descriptor, to: address.host, by: context, isResuming: isResuming, on: loop.turn.connectionBase)
        let connection = Connection(connectingTo: address, by: transport, on: loop)
        connection.handler = handler
        bufferevent_enable(transport.stream, ps_ev_read() | ps_ev_write())
        return connection
    }

    /// Whether the handshake took up an earlier session. False in clear.
    public var isResumed: Bool { transport?.isResumed ?? false }

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
            guard let transport else { throw .system(call: "getsockname", code: ENOTCONN) }
            return try SocketAddress.local(of: transport.descriptor)
        }
    }
}
