/// All addresses that begin with the same bits: `192.0.2.0/24`, `2001:db8::/32` (CIDR, RFC 4632 §3.1), or one address.
public struct AddressRange: Hashable, Sendable, CustomStringConvertible {
    /// The first address of the range.
    public let first: IPAddress
    /// How many bits all of it begins with.
    public let prefixLength: Int

    private let highMask: UInt64
    private let lowMask: UInt64

    /// Reads an address, or an address and the length of its prefix. What stands behind the prefix is dropped.
    /// - Returns: `nil` for anything else.
    public init?(_ text: some StringProtocol) {
        let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        guard let address = IPAddress(parts[0]) else { return nil }
        let width = address.isIPv6 ? 128 : 32
        guard parts.count == 2 else {
            self.init(address, prefixLength: width)
            return
        }
        let digits = parts[1]
        guard (1...3).contains(digits.utf8.count), digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }),
            let length = Int(digits), length <= width
        else { return nil }
        self.init(address, prefixLength: length)
    }

    /// The range of that size around an address.
    /// - Parameter prefixLength: at most 32 or 128. A longer one means the address alone.
    public init(_ address: IPAddress, prefixLength: Int) {
        let width = address.isIPv6 ? 128 : 32
        let length = min(max(0, prefixLength), width)
        self.prefixLength = length
        // An IPv4 address is the last 32 of 64 bits.
        lowMask = address.isIPv6 ? Self.mask(64, prefix: length - 64) : Self.mask(32, prefix: length)
        highMask = address.isIPv6 ? Self.mask(64, prefix: length) : 0
        first =
            address.isIPv6
            ? IPAddress(high: address.high & highMask, low: address.low & lowMask)
            : IPAddress(v4: UInt32(truncatingIfNeeded: address.low & lowMask))
    }

    /// The first bits of a number that is so many bits wide.
    private static func mask(_ width: Int, prefix: Int) -> UInt64 {
        let length = min(max(0, prefix), width)
        // A shift by all 64 bits gives 0.
        return (UInt64.max >> (64 - width)) & (UInt64.max << (width - length))
    }

    /// Whether the address is one of them. An IPv4 address is in no range of IPv6 addresses.
    public func contains(_ address: IPAddress) -> Bool {
        address.isIPv6 == first.isIPv6 && address.high & highMask == first.high && address.low & lowMask == first.low
    }

    /// As it is written: an address alone without its length.
    public var description: String {
        prefixLength == (first.isIPv6 ? 128 : 32) ? "\(first)" : "\(first)/\(prefixLength)"
    }
}

extension [AddressRange] {
    /// Whether the address is in one of them.
    public func contains(_ address: IPAddress) -> Bool { contains { $0.contains(address) } }
}
