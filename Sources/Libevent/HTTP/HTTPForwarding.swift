public import Base

/// Whose word about a client counts: the proxies before a server, and the header in which they tell.
///
/// Each proxy adds the address that it has seen to the end of the header, behind whatever its client has sent. So what counts is
/// the last address that is not a trusted proxy's: everything before it anybody may have made up.
public final class HTTPForwarding: Sendable {
    /// The proxies.
    public let trusted: [AddressRange]
    /// The header's name, in lower case.
    private let name: [UInt8]
    /// Whether it is `Forwarded`, which says more than addresses.
    private let hasElements: Bool

    /// - Parameter header: its values are lists of addresses, as those of `X-Forwarded-For` are, unless it is `Forwarded`, whose
    ///   form RFC 7239 gives.
    public init(from trusted: [AddressRange], header: String = HTTPForwarding.standardHeader) {
        self.trusted = trusted
        name = Array(header.lowercased().utf8)
        hasElements = name == Array("forwarded".utf8)
    }

    /// What proxies send, unless they are told otherwise.
    public static let standardHeader = "X-Forwarded-For"

    /// Whether a header may have that name: it is a token (RFC 9110 §5.1).
    public static func canBeHeader(_ name: String) -> Bool { Array(name.utf8).withUnsafeBytes { HTTPSyntax.isToken($0) } }

    /// The client of a request that has come from `peer`. It makes no string.
    /// - Parameter headers: calls its argument with the name and the value of each header, in their order.
    func client(
        of peer: IPAddress, _ headers: ((UnsafeRawBufferPointer, UnsafeRawBufferPointer) -> Void) -> Void
    ) -> IPAddress {
        guard trusted.contains(peer) else { return peer }
        var client: IPAddress?
        headers { candidate, value in
            guard candidate.count == name.count, isName(candidate) else { return }
            if hasElements { return look(at: value, &client) }
            for entry in value.split(separator: UInt8(ascii: ",")) {
                guard let address = Self.address(in: entry) else {
                    // Nobody can tell what was before it.
                    client = nil
                    continue
                }
                // Of proxies alone the first is nearest to the client.
                if client == nil || !trusted.contains(address) { client = address }
            }
        }
        return client ?? peer
    }

    /// The same of a line of `Forwarded`, from its end.
    private func look(at value: UnsafeRawBufferPointer, _ client: inout IPAddress?) {
        var elements = HTTPForwardedElements(value)
        var nearest: IPAddress?
        while let element = elements.next() {
            guard let address = element.address, trusted.contains(address) else {
                client = element.address ?? nearest
                return
            }
            nearest = address
        }
        if client == nil { client = nearest }
    }

    private func isName(_ candidate: UnsafeRawBufferPointer) -> Bool {
        zip(candidate, name).allSatisfy { byte, lower in
            byte == lower || (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte) && byte | 0x20 == lower
        }
    }

    /// An address, with white space around it, with or without its port: `192.0.2.1`, `192.0.2.1:80`, `::1`, `[::1]:80`.
    private static func address(in entry: Slice<UnsafeRawBufferPointer>) -> IPAddress? {
        var text = entry.drop { HTTPSyntax.isSpace($0) }
        while let last = text.last, HTTPSyntax.isSpace(last) { text.removeLast() }
        if text.first == UInt8(ascii: "[") {
            text.removeFirst()
            guard let end = text.firstIndex(of: UInt8(ascii: "]")), isPort(text[text.index(after: end)...]) else { return nil }
            text = text[..<end]
            return text.contains(UInt8(ascii: ":")) ? IPAddress(bytes: text) : nil
        }
        if let colon = text.firstIndex(of: UInt8(ascii: ":")), !text[text.index(after: colon)...].contains(UInt8(ascii: ":")) {
            guard isPort(text[colon...]) else { return nil }
            text = text[..<colon]
        }
        return IPAddress(bytes: text)
    }

    /// A colon and a number, or nothing.
    private static func isPort(_ text: Slice<UnsafeRawBufferPointer>) -> Bool {
        guard let colon = text.first else { return true }
        let digits = text.dropFirst()
        return colon == UInt8(ascii: ":") && (1...5).contains(digits.count) && digits.allSatisfy { (48...57).contains($0) }
    }
}
