internal import Base

/// The elements of a value of the header `Forwarded` (RFC 7239 §4), the last one first.
///
/// From the end, since what a proxy has appended is whole, and what stands before it anybody may have written: a quote that its
/// writer has left open takes nothing of what follows with it.
struct HTTPForwardedElements: IteratorProtocol {
    typealias Bytes = Slice<UnsafeRawBufferPointer>

    /// What has not been looked at; `nil` at the end.
    private var rest: Bytes?

    init(_ value: UnsafeRawBufferPointer) { rest = value[...] }

    mutating func next() -> HTTPForwardedElement? {
        // Empty ones say nothing (RFC 9110 §5.6.1).
        while let bytes = removeLast() {
            if !bytes.allSatisfy({ HTTPSyntax.isSpace($0) }) { return HTTPForwardedElement(bytes) }
        }
        return nil
    }

    /// What stands behind the last comma that is not in quotes.
    private mutating func removeLast() -> Bytes? {
        guard let bytes = rest else { return nil }
        var isQuoted = false
        var place = bytes.endIndex
        while place > bytes.startIndex {
            place -= 1
            switch bytes[place] {
            case UInt8(ascii: "\"") where !isQuoted || !Self.isEscaped(place, in: bytes): isQuoted.toggle()
            case UInt8(ascii: ",") where !isQuoted:
                rest = bytes[..<place]
                return bytes[(place + 1)...]
            default: break
            }
        }
        rest = nil
        return bytes
    }

    /// Whether an odd number of backslashes stands before it.
    private static func isEscaped(_ place: Int, in bytes: Bytes) -> Bool {
        var count = 0
        while place - count > bytes.startIndex, bytes[place - count - 1] == UInt8(ascii: "\\") { count += 1 }
        return count % 2 == 1
    }
}

/// What one proxy tells of whom it has seen: `for=192.0.2.1;proto=https`, `for="[2001:db8::1]:4711"`.
struct HTTPForwardedElement {
    private typealias Bytes = HTTPForwardedElements.Bytes

    /// The address after `for`; `nil` where there is none: it is unknown, obfuscated or missing, or the element is malformed.
    let address: IPAddress?

    fileprivate init(_ element: HTTPForwardedElements.Bytes) { address = Self.address(in: element) }

    private static func address(in element: Bytes) -> IPAddress? {
        var text = element
        var found: IPAddress?
        while true {
            dropSpace(&text)
            if let first = text.first, first != UInt8(ascii: ";") {
                guard let (name, value) = pair(&text) else { return nil }
                if isFor(name) {
                    // Said twice, it could be either.
                    guard found == nil, let address = node(value) else { return nil }
                    found = address
                }
                dropSpace(&text)
            }
            guard let separator = text.popFirst() else { return found }
            guard separator == UInt8(ascii: ";") else { return nil }
        }
    }

    private static func dropSpace(_ text: inout Bytes) { text = text.drop { HTTPSyntax.isSpace($0) } }

    /// `token=value`, where a value is a token or stands in quotes.
    private static func pair(_ text: inout Bytes) -> (name: Bytes, value: [UInt8])? {
        let name = text.prefix { HTTPSyntax.isTokenByte($0) }
        text = text[name.endIndex...]
        guard !name.isEmpty, text.popFirst() == UInt8(ascii: "=") else { return nil }
        if text.first == UInt8(ascii: "\"") {
            text.removeFirst()
            return quoted(&text).map { (name, $0) }
        }
        let value = text.prefix { HTTPSyntax.isTokenByte($0) }
        text = text[value.endIndex...]
        return value.isEmpty ? nil : (name, Array(value))
    }

    /// Up to the quote at its end; a backslash makes the next byte an ordinary one.
    private static func quoted(_ text: inout Bytes) -> [UInt8]? {
        var value: [UInt8] = []
        while let byte = text.popFirst() {
            switch byte {
            case UInt8(ascii: "\""): return value
            case UInt8(ascii: "\\"):
                guard let escaped = text.popFirst() else { return nil }
                value.append(escaped)
            default: value.append(byte)
            }
        }
        return nil
    }

    private static func isFor(_ name: Bytes) -> Bool {
        name.count == 3 && zip(name, "for".utf8).allSatisfy { $0 | 0x20 == $1 }
    }

    /// `192.0.2.1`, `[2001:db8::1]`, each with or without a port, which may be obfuscated (`:_http`).
    private static func node(_ value: [UInt8]) -> IPAddress? {
        let text = value[...]
        let host: ArraySlice<UInt8>
        let port: ArraySlice<UInt8>
        if text.first == UInt8(ascii: "[") {
            guard let end = text.firstIndex(of: UInt8(ascii: "]")) else { return nil }
            host = text[1..<end]
            port = text[(end + 1)...]
            guard host.contains(UInt8(ascii: ":")) else { return nil }
        } else {
            host = text.prefix { $0 != UInt8(ascii: ":") }
            port = text[host.endIndex...]
        }
        return isPort(port) ? IPAddress(bytes: host) : nil
    }

    private static func isPort(_ text: ArraySlice<UInt8>) -> Bool {
        guard let colon = text.first else { return true }
        let name = text.dropFirst()
        guard colon == UInt8(ascii: ":") else { return false }
        if name.first == UInt8(ascii: "_") { return name.count > 1 && name.allSatisfy(isObfuscated) }
        return (1...5).contains(name.count) && name.allSatisfy { (48...57).contains($0) }
    }

    /// Letters, digits, and `.`, `_`, `-` (RFC 7239 §6.3).
    private static func isObfuscated(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "-"):
            true
        default: false
        }
    }
}
