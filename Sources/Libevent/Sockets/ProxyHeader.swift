internal import Base

/// What is wrong with what a proxy has said of a connection.
public enum ProxyHeaderFault: Error, Hashable, Sendable {
    /// It is no header of the PROXY protocol.
    case malformed
    /// It has not come in time.
    case missing
}

/// What a proxy says of a connection before its client's first byte, read as it comes in: the PROXY protocol, versions 1 and 2
/// (HAProxy's `proxy-protocol.txt`).
struct ProxyHeader {
    /// Whose connection it is.
    enum Source: Equatable {
        /// The proxy's own, such as a health check; or it does not tell, or not by an IP address.
        case proxy
        case client(SocketAddress)
    }

    /// Nil until all of the header has come.
    private(set) var source: Source?
    /// What has come of it, but for what is skipped.
    private var bytes: [UInt8] = []
    /// What is still to be skipped: extensions (TLVs), and addresses that are none of IP.
    private var skipped = 0
    private var found = Source.proxy

    /// With the line's end.
    private static let longestLine = 107
    /// The most bytes of addresses and extensions.
    private static let longestRest = 4_096
    private static let lineStart = Array("PROXY ".utf8)
    private static let signature: [UInt8] = [0x0D, 0x0A, 0x0D, 0x0A, 0x00, 0x0D, 0x0A, 0x51, 0x55, 0x49, 0x54, 0x0A]
    /// The signature, version and command, family, length.
    private static let fixedSize = 16

    /// Takes what has come next.
    /// - Returns: how many bytes are the header's: what follows is the client's.
    mutating func take(_ input: UnsafeRawBufferPointer) throws(ProxyHeaderFault) -> Int {
        var used = 0
        while source == nil, used < input.count {
            if skipped > 0 {
                let count = min(skipped, input.count - used)
                skipped -= count
                used += count
                if skipped == 0 { source = found }
            } else {
                bytes.append(input[used])
                used += 1
                try didTake()
            }
        }
        return used
    }

    private mutating func didTake() throws(ProxyHeaderFault) {
        if bytes[0] == Self.lineStart[0] { return try readLine() }
        let last = bytes.count - 1
        if last < Self.signature.count {
            guard bytes[last] == Self.signature[last] else { throw .malformed }
        } else if bytes.count == Self.fixedSize {
            try readFixed()
        } else if bytes.count > Self.fixedSize, bytes.count == Self.fixedSize + addressSize {
            readAddress()
        }
    }

    // MARK: Version 1

    private mutating func readLine() throws(ProxyHeaderFault) {
        let last = bytes.count - 1
        if last < Self.lineStart.count { guard bytes[last] == Self.lineStart[last] else { throw .malformed } }
        guard bytes[last] == 0x0A else {
            guard bytes.count < Self.longestLine else { throw .malformed }
            return
        }
        guard bytes[last - 1] == 0x0D else { throw .malformed }
        let words = bytes[Self.lineStart.count..<(last - 1)].split(separator: 0x20, omittingEmptySubsequences: false)
        source = try Self.source(words)
    }

    private static func source(_ words: [ArraySlice<UInt8>]) throws(ProxyHeaderFault) -> Source {
        if words[0].elementsEqual("UNKNOWN".utf8) { return .proxy }
        let isIPv6 = words[0].elementsEqual("TCP6".utf8)
        guard words.count == 5, isIPv6 || words[0].elementsEqual("TCP4".utf8) else { throw .malformed }
        let client = try address(words[1], isIPv6: isIPv6)
        _ = try address(words[2], isIPv6: isIPv6)
        _ = try port(words[4])
        return .client(SocketAddress(client, port: try port(words[3])))
    }

    private static func address(_ text: ArraySlice<UInt8>, isIPv6: Bool) throws(ProxyHeaderFault) -> IPAddress {
        guard text.contains(UInt8(ascii: ":")) == isIPv6, let address = IPAddress(bytes: text) else { throw .malformed }
        return address
    }

    private static func port(_ text: ArraySlice<UInt8>) throws(ProxyHeaderFault) -> UInt16 {
        guard (1...5).contains(text.count), text.allSatisfy({ (48...57).contains($0) }), text.first != 48 || text.count == 1,
            let port = UInt16(exactly: text.reduce(0) { $0 * 10 + Int($1 - 48) })
        else { throw .malformed }
        return port
    }

    // MARK: Version 2

    private var command: UInt8 { bytes[12] & 0x0F }
    private var family: UInt8 { bytes[13] >> 4 }
    private var rest: Int { Int(bytes[14]) << 8 | Int(bytes[15]) }

    /// How many bytes of addresses are read.
    private var addressSize: Int {
        switch (command, family) {
        case (1, 1): 12
        case (1, 2): 36
        default: 0
        }
    }

    private mutating func readFixed() throws(ProxyHeaderFault) {
        let transport = bytes[13] & 0x0F
        guard bytes[12] >> 4 == 2, command <= 1, family <= 3, transport <= 2, rest <= Self.longestRest, rest >= addressSize
        else { throw .malformed }
        // An address of a stream: nobody else comes here.
        guard addressSize == 0 || transport == 1 else { throw .malformed }
        if addressSize == 0 { skip(rest) }
    }

    private mutating func readAddress() {
        let isIPv6 = addressSize == 36
        let ip =
            isIPv6
            ? IPAddress(high: number(at: 16, 8), low: number(at: 24, 8))
            : IPAddress(v4: UInt32(truncatingIfNeeded: number(at: 16, 4)))
        found = .client(SocketAddress(ip, port: UInt16(truncatingIfNeeded: number(at: isIPv6 ? 48 : 24, 2))))
        skip(rest - addressSize)
    }

    private mutating func skip(_ count: Int) {
        skipped = count
        if count == 0 { source = found }
    }

    private func number(at index: Int, _ count: Int) -> UInt64 {
        bytes[index..<(index + count)].reduce(0) { $0 << 8 | UInt64($1) }
    }
}
