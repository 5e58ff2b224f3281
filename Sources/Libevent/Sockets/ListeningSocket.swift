internal import Base
internal import CLibevent
internal import Glibc
internal import Synchronization

/// A socket that listens and belongs to nobody yet. A `Listener` or an `HTTPServer` takes it, once; until then it closes with its
/// last reference.
///
/// Several loops serve one port by a socket each: `bind(_:count:)` makes them all, and the kernel spreads the connections.
public final class ListeningSocket: Sendable {
    /// The address that is bound, with the real port.
    public let address: SocketAddress
    /// Somebody else has it too, and goes on with it: whoever accepts from it leaves what waits in its queue to them, and does
    /// not close it. (Closed here, it would be watched on: the system drops a watch with the last who has the socket.)
    let isShared: Bool
    /// -1 when it has been taken.
    private let descriptor: Atomic<Int32>

    private init(descriptor: Int32, address: SocketAddress, isShared: Bool = false) {
        self.address = address
        self.isShared = isShared
        self.descriptor = Atomic(descriptor)
    }

    deinit {
        let left = takeDescriptor()
        if left >= 0, !isShared { close(left) }
    }

    /// A socket that listens already and was handed to this process, such as by systemd, which has it as well and hands it to the
    /// next one. It is never closed here.
    /// - Parameter count: for so many loops, which take turns at its queue.
    /// - Throws: `system` for what is no listening socket of TCP.
    public static func inherited(_ descriptor: Int32, count: Int) throws(LibeventError) -> [ListeningSocket] {
        guard ps_is_listening(descriptor) == 1 else { throw .system(call: "SO_ACCEPTCONN", code: EINVAL) }
        let address = try SocketAddress.local(of: descriptor)
        guard ps_prepare_inherited(descriptor) == 0 else { throw .lastSystemError("fcntl") }
        try set(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY)
        return (0..<count).map { _ in ListeningSocket(descriptor: descriptor, address: address, isShared: true) }
    }

    /// Binds `count` sockets to one address and port, and listens on them. Port 0 asks for a free port, the same for all.
    ///
    /// SO_REUSEPORT would let any process of this user bind the port as well and take half of the connections. So the first
    /// socket is bound without it, which fails if anybody listens there, and gets the option afterwards, for the others to join.
    ///
    /// - Parameter backlog: how many connections may wait to be accepted, on each socket; the system may cut it
    ///   (`net.core.somaxconn`).
    /// - Throws: `addressInUse`, or `system` (no permission, no such address on this machine).
    public static func bind(
        _ address: SocketAddress, count: Int, backlog: Int32 = 4096
    ) throws(LibeventError) -> [ListeningSocket] {
        precondition(count > 0)
        var sockets: [ListeningSocket] = []
        var target = address
        for _ in 0..<count {
            let socket = try bound(to: target, joining: !sockets.isEmpty)
            target = socket.address
            sockets.append(socket)
        }
        for socket in sockets {
            guard listen(socket.descriptor.load(ordering: .relaxed), backlog) == 0 else {
                if errno == EADDRINUSE { throw .addressInUse(target) }
                throw .lastSystemError("listen")
            }
        }
        return sockets
    }

    /// Finds out whether the address could be bound, and listens nowhere.
    /// - Throws: as ``bind(_:count:backlog:)`` would.
    public static func tryBinding(_ address: SocketAddress) throws(LibeventError) {
        _ = try bound(to: address, joining: false)
    }

    private static func bound(to address: SocketAddress, joining: Bool) throws(LibeventError) -> ListeningSocket {
        let descriptor = ps_socket(address.family)
        guard descriptor >= 0 else { throw .lastSystemError("socket") }
        do throws(LibeventError) {
            // SO_REUSEADDR: connections of an earlier run that wait in TIME_WAIT do not count as "in use"; a listener still does.
            try set(descriptor, SOL_SOCKET, SO_REUSEADDR)
            if joining { try set(descriptor, SOL_SOCKET, SO_REUSEPORT) }
            // Inherited by what is accepted: frames are small, and none may wait for the acknowledgement of the one before.
            try set(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY)
            guard address.withStorage({ ps_bind(descriptor, $0, $1) }) == 0 else {
                if errno == EADDRINUSE { throw .addressInUse(address) }
                throw .lastSystemError("bind \(address)")
            }
            if !joining { try set(descriptor, SOL_SOCKET, SO_REUSEPORT) }
            return ListeningSocket(descriptor: descriptor, address: try SocketAddress.local(of: descriptor))
        } catch {
            close(descriptor)
            throw error
        }
    }

    /// The system's keep-alive, prepared for every connection that is accepted: it begins with `Connection.enableTCPKeepAlive()`,
    /// which then is one call to the system instead of four. The first probe comes after `idle`, then `count` probes, `interval`
    /// apart (whole seconds, at least 1). Before it is taken.
    public func prepareTCPKeepAlive(idle: Duration, interval: Duration, count: Int) throws(LibeventError) {
        let tcp = Int32(IPPROTO_TCP)
        try Self.set(descriptor.load(ordering: .relaxed), tcp, TCP_KEEPIDLE, to: Int32(max(1, idle.components.seconds)))
        try Self.set(descriptor.load(ordering: .relaxed), tcp, TCP_KEEPINTVL, to: Int32(max(1, interval.components.seconds)))
        try Self.set(descriptor.load(ordering: .relaxed), tcp, TCP_KEEPCNT, to: Int32(max(1, count)))
    }

    /// How long data may be on its way, on every connection that is accepted, without the peer's system saying that it has
    /// arrived or that there is room for it. Then the connection ends; the system alone would try for a quarter of an hour.
    /// Before it is taken.
    public func limitUnacknowledgedData(to time: Duration) throws(LibeventError) {
        let milliseconds = Int32(clamping: max(1, time.nanoseconds / 1_000_000))
        try Self.set(descriptor.load(ordering: .relaxed), Int32(IPPROTO_TCP), TCP_USER_TIMEOUT, to: milliseconds)
    }

    private static func set(_ descriptor: Int32, _ level: Int32, _ option: Int32, to value: Int32 = 1) throws(LibeventError) {
        guard ps_set_option(descriptor, level, option, value) == 0 else { throw .lastSystemError("setsockopt") }
    }

    /// Hands the descriptor over; the caller closes it. -1 if it has been taken before.
    func takeDescriptor() -> Int32 { descriptor.exchange(-1, ordering: .relaxed) }
}
