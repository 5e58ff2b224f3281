public import Base
internal import CLibevent
internal import Glibc

/// An IPv4 or IPv6 address with a port. An IPv4 address that came in by an IPv6 socket (`::ffff:192.0.2.1`) is the IPv4 address.
public struct SocketAddress: Hashable, Sendable, CustomStringConvertible {
    /// The address without its port.
    public let ip: IPAddress
    private let scope: UInt32
    /// The port, in the host's byte order. 0 asks for a free one.
    public let port: UInt16
    /// Whether this is an IPv6 address.
    public var isIPv6: Bool { ip.isIPv6 }

    /// The address with a port.
    public init(_ ip: IPAddress, port: UInt16) { self.init(ip, scope: 0, port: port) }

    private init(_ ip: IPAddress, scope: UInt32, port: UInt16) {
        (self.ip, self.scope, self.port) = (ip, scope, port)
    }

    /// Reads `127.0.0.1:8080` or `[::1]:8080`. Names are not looked up.
    ///
    /// - Throws: `LibeventError.invalidAddress` with the text.
    public init(parsing text: String) throws(LibeventError) {
        guard let colon = text.lastIndex(of: ":") else { throw .invalidAddress(text) }
        let digits = text[text.index(after: colon)...]
        guard !digits.isEmpty, digits.utf8.allSatisfy({ (48...57).contains($0) }), let port = UInt16(digits) else {
            throw .invalidAddress(text)
        }
        var host = text[..<colon]
        let bracketed = host.hasPrefix("[") && host.hasSuffix("]")
        if bracketed { host = host.dropFirst().dropLast() }
        guard bracketed == host.contains(":"), let address = Self(host: String(host), port: port) else {
            throw .invalidAddress(text)
        }
        self = address
    }

    /// Reads an address without a port: `127.0.0.1`, `::1`. Nil if it is none.
    public init?(host: String, port: UInt16) {
        guard let ip = IPAddress(host) else { return nil }
        self.init(ip, port: port)
    }

    /// The address with another port.
    public func withPort(_ port: UInt16) -> SocketAddress {
        SocketAddress(ip, scope: scope, port: port)
    }

    /// `127.0.0.1:8080`, `[::1]:8080`.
    public var description: String { isIPv6 ? "[\(host)]:\(port)" : "\(host):\(port)" }

    /// The address without its port.
    public var host: String { ip.description }
}

// MARK: The system's form

extension SocketAddress {
    private var v6: in6_addr {
        var address = in6_addr()
        withUnsafeMutableBytes(of: &address) { bytes in
            bytes.storeBytes(of: ip.high.bigEndian, as: UInt64.self)
            bytes.storeBytes(of: ip.low.bigEndian, toByteOffset: 8, as: UInt64.self)
        }
        return address
    }

    private init(v6: in6_addr, scope: UInt32, port: UInt16) {
        let ip = withUnsafeBytes(of: v6) { bytes in
            IPAddress(
                high: UInt64(bigEndian: bytes.loadUnaligned(as: UInt64.self)),
                low: UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self)))
        }
        self.init(ip, scope: ip.isIPv6 ? scope : 0, port: port)
    }

    /// Nil for a family that is neither IPv4 nor IPv6.
    init?(_ storage: sockaddr_storage) {
        let address: SocketAddress? = withUnsafeBytes(of: storage) { bytes in
            switch Int32(storage.ss_family) {
            case AF_INET:
                let v4 = bytes.load(as: sockaddr_in.self)
                return SocketAddress(IPAddress(v4: UInt32(bigEndian: v4.sin_addr.s_addr)), port: UInt16(bigEndian: v4.sin_port))
            case AF_INET6:
                let v6 = bytes.load(as: sockaddr_in6.self)
                return SocketAddress(v6: v6.sin6_addr, scope: v6.sin6_scope_id, port: UInt16(bigEndian: v6.sin6_port))
            default: return nil
            }
        }
        guard let address else { return nil }
        self = address
    }

    var family: Int32 { isIPv6 ? AF_INET6 : AF_INET }

    /// Calls `body` with the address as `bind` and `connect` take it.
    func withStorage<R>(_ body: (UnsafePointer<sockaddr_storage>, socklen_t) -> R) -> R {
        var storage = sockaddr_storage()
        let length = withUnsafeMutableBytes(of: &storage) { bytes in
            if isIPv6 {
                var address = sockaddr_in6()
                address.sin6_family = sa_family_t(AF_INET6)
                address.sin6_port = port.bigEndian
                address.sin6_addr = v6
                address.sin6_scope_id = scope
                bytes.storeBytes(of: address, as: sockaddr_in6.self)
                return MemoryLayout<sockaddr_in6>.size
            }
            var address = sockaddr_in()
            address.sin_family = sa_family_t(AF_INET)
            address.sin_port = port.bigEndian
            address.sin_addr.s_addr = UInt32(truncatingIfNeeded: ip.low).bigEndian
            bytes.storeBytes(of: address, as: sockaddr_in.self)
            return MemoryLayout<sockaddr_in>.size
        }
        return body(&storage, socklen_t(length))
    }

    /// The address that a socket is bound to.
    static func local(of descriptor: Int32) throws(LibeventError) -> SocketAddress {
        var storage = sockaddr_storage()
        guard ps_local_address(descriptor, &storage) == 0 else { throw .lastSystemError("getsockname") }
        guard let address = SocketAddress(storage) else { throw .system(call: "getsockname", code: EAFNOSUPPORT) }
        return address
    }
}
