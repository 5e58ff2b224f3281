internal import Base
internal import CLibevent
internal import Glibc

/// An IPv4 or IPv6 address with a port. An IPv4 address that came in by an IPv6 socket (`::ffff:192.0.2.1`) is the IPv4 address.
public struct SocketAddress: Hashable, Sendable, CustomStringConvertible {
    /// The address in network byte order; an IPv4 address stands in the lower 32 bits of `low`.
    private let high: UInt64
    private let low: UInt64
    private let scope: UInt32
    /// The port, in the host's byte order. 0 asks for a free one.
    public let port: UInt16
    /// Whether this is an IPv6 address.
    public let isIPv6: Bool

    private init(high: UInt64, low: UInt64, scope: UInt32, port: UInt16, isIPv6: Bool) {
        (self.high, self.low, self.scope, self.port, self.isIPv6) = (high, low, scope, port, isIPv6)
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
        var v4 = in_addr()
        if inet_pton(AF_INET, host, &v4) == 1 {
            self.init(high: 0, low: UInt64(UInt32(bigEndian: v4.s_addr)), scope: 0, port: port, isIPv6: false)
            return
        }
        var v6 = in6_addr()
        guard inet_pton(AF_INET6, host, &v6) == 1 else { return nil }
        self.init(v6: v6, scope: 0, port: port)
    }

    /// The address with another port.
    public func withPort(_ port: UInt16) -> SocketAddress {
        SocketAddress(high: high, low: low, scope: scope, port: port, isIPv6: isIPv6)
    }

    /// `127.0.0.1:8080`, `[::1]:8080`.
    public var description: String { isIPv6 ? "[\(host)]:\(port)" : "\(host):\(port)" }

    /// The address without its port.
    public var host: String {
        var text = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
        if isIPv6 {
            var address = v6
            inet_ntop(AF_INET6, &address, &text, socklen_t(text.count))
        } else {
            var address = in_addr(s_addr: UInt32(truncatingIfNeeded: low).bigEndian)
            inet_ntop(AF_INET, &address, &text, socklen_t(text.count))
        }
        return String(decoding: text.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    }
}

// MARK: The system's form

extension SocketAddress {
    private var v6: in6_addr {
        var address = in6_addr()
        withUnsafeMutableBytes(of: &address) { bytes in
            bytes.storeBytes(of: high.bigEndian, as: UInt64.self)
            bytes.storeBytes(of: low.bigEndian, toByteOffset: 8, as: UInt64.self)
        }
        return address
    }

    private init(v6: in6_addr, scope: UInt32, port: UInt16) {
        let (high, low) = withUnsafeBytes(of: v6) { bytes in
            (
                UInt64(bigEndian: bytes.loadUnaligned(as: UInt64.self)),
                UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
            )
        }
        if high == 0, low >> 32 == 0xffff {
            self.init(high: 0, low: low & 0xffff_ffff, scope: 0, port: port, isIPv6: false)
        } else {
            self.init(high: high, low: low, scope: scope, port: port, isIPv6: true)
        }
    }

    /// Nil for a family that is neither IPv4 nor IPv6.
    init?(_ storage: sockaddr_storage) {
        let address: SocketAddress? = withUnsafeBytes(of: storage) { bytes in
            switch Int32(storage.ss_family) {
            case AF_INET:
                let v4 = bytes.load(as: sockaddr_in.self)
                return SocketAddress(
                    high: 0, low: UInt64(UInt32(bigEndian: v4.sin_addr.s_addr)), scope: 0, port: UInt16(bigEndian: v4.sin_port),
                    isIPv6: false)
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
            address.sin_addr.s_addr = UInt32(truncatingIfNeeded: low).bigEndian
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
