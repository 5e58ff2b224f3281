internal import Glibc

/// An IPv4 or IPv6 address. An IPv4 address that stands in an IPv6 one (`::ffff:192.0.2.1`, RFC 4291 §2.5.5.2) is the IPv4
/// address: it is the same host, whichever socket it came by.
public struct IPAddress: Hashable, Sendable, CustomStringConvertible {
    /// The first 64 bits of an IPv6 address; 0 of an IPv4 one.
    public let high: UInt64
    /// The last 64 bits of an IPv6 address; an IPv4 address stands in the lower 32.
    public let low: UInt64
    /// Whether this is an IPv6 address.
    public let isIPv6: Bool

    /// 32 bits, the first octet in the highest.
    public init(v4 bits: UInt32) { (high, low, isIPv6) = (0, UInt64(bits), false) }

    /// 128 bits.
    public init(high: UInt64, low: UInt64) {
        let isMapped = high == 0 && low >> 32 == 0xffff
        (self.high, self.low, isIPv6) = (high, isMapped ? low & 0xffff_ffff : low, !isMapped)
    }

    /// Reads `192.0.2.1` or `2001:db8::1`. Names are not looked up.
    /// - Returns: `nil` for anything else, a zone (`%eth0`) and brackets among it.
    public init?(_ text: some StringProtocol) { self.init(bytes: text.utf8) }

    /// The same from the bytes of a text, without making a string of it.
    public init?(bytes: some Collection<UInt8>) {
        guard bytes.count < Int(INET6_ADDRSTRLEN), !bytes.contains(0) else { return nil }
        let found: IPAddress? = withUnsafeTemporaryAllocation(byteCount: Int(INET6_ADDRSTRLEN), alignment: 1) { text in
            text.copyBytes(from: bytes)
            text[bytes.count] = 0
            return IPAddress(terminated: text.assumingMemoryBound(to: CChar.self).baseAddress)
        }
        guard let found else { return nil }
        self = found
    }

    private init?(terminated text: UnsafePointer<CChar>?) {
        guard let text else { return nil }
        var v4 = in_addr()
        if inet_pton(AF_INET, text, &v4) == 1 {
            self.init(v4: UInt32(bigEndian: v4.s_addr))
            return
        }
        var v6 = in6_addr()
        guard inet_pton(AF_INET6, text, &v6) == 1 else { return nil }
        self = withUnsafeBytes(of: v6) { bytes in
            IPAddress(
                high: UInt64(bigEndian: bytes.loadUnaligned(as: UInt64.self)),
                low: UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self)))
        }
    }

    /// What limits count an address as: an IPv6 one with all of its /64, since whoever has one address there has them all.
    public var network: IPAddress { isIPv6 ? IPAddress(high: high, low: 0) : self }

    /// `192.0.2.1`, `2001:db8::1`.
    public var description: String {
        var text = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
        if isIPv6 {
            var bytes = (high.bigEndian, low.bigEndian)
            inet_ntop(AF_INET6, &bytes, &text, socklen_t(text.count))
        } else {
            var bytes = UInt32(truncatingIfNeeded: low).bigEndian
            inet_ntop(AF_INET, &bytes, &text, socklen_t(text.count))
        }
        return String(decoding: text.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    }
}
