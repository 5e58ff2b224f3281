/// Whether it is beyond doubt where a request ends. Where it is not, this server and a proxy before it may disagree about what is
/// a request of its own (request smuggling, RFC 9112 §11.2): refuse the request; the connection closes after the answer, whatever
/// `HTTPExchange.reply` is told.
public enum HTTPFraming: Hashable, Sendable {
    /// Nothing to object to.
    case ok
    /// More than one Content-Length, the same or not.
    case duplicateContentLength
    /// A Content-Length that is not digits only.
    case malformedContentLength
    /// Both Content-Length and Transfer-Encoding.
    case contentLengthWithTransferEncoding
    /// A Transfer-Encoding other than one `chunked`, or a chunk whose size is no hexadecimal number.
    case unsupportedTransferEncoding
    /// A body with a method that takes none.
    case bodyWithBodilessMethod
    /// A NUL byte, or a header's name that is no token, such as `Content-Length :`.
    case malformedHeader
}

/// The headers that decide about a request's framing, noted one by one.
struct FramingEvidence {
    private enum Field {
        case contentLength, transferEncoding, other
    }

    private var last = Field.other
    private var contentLengths = 0
    private var transferEncodings = 0
    private var isLengthMalformed = false
    private var isChunked = false
    /// A `Connection` that says anything but `keep-alive`.
    private(set) var hasConnectionOption = false
    /// No header that follows can mend it.
    private(set) var isMalformed = false
    /// The body's length by the first Content-Length; 0 without one.
    private(set) var announcedLength = 0

    var hasTransferEncoding: Bool { transferEncodings > 0 }

    mutating func addMalformed() { isMalformed = true }

    mutating func addUnsupportedEncoding() { isChunked = false }

    /// Notes a header. evhttp takes only the bare word for `chunked`, so that whatever it would overlook is not chunked here
    /// either.
    mutating func add(name: UnsafeRawBufferPointer, value: UnsafeRawBufferPointer) {
        if name.isEmpty || !isToken(name) { isMalformed = true }
        last = .other
        switch name.count {
        case 14 where equalsIgnoringCase(name, lowercased: "content-length"):
            last = .contentLength
            contentLengths += 1
            addLength(value)
        case 17 where equalsIgnoringCase(name, lowercased: "transfer-encoding"):
            last = .transferEncoding
            transferEncodings += 1
            isChunked = equalsIgnoringCase(value, lowercased: "chunked")
        case 10 where equalsIgnoringCase(name, lowercased: "connection"):
            if !equalsIgnoringCase(value, lowercased: "keep-alive") { hasConnectionOption = true }
        default: break
        }
    }

    /// Notes that the last header goes on in another line (RFC 9112 §5.2), which no honest client does to these two.
    mutating func addContinuation() {
        if last != .other { isMalformed = true }
    }

    private mutating func addLength(_ value: UnsafeRawBufferPointer) {
        guard (1...18).contains(value.count), value.allSatisfy({ (48...57).contains($0) }) else {
            isLengthMalformed = true
            return
        }
        if contentLengths == 1 { announcedLength = value.reduce(0) { $0 * 10 + Int($1 - 48) } }
    }

    func verdict(_ method: HTTPMethod) -> HTTPFraming {
        if isMalformed { return .malformedHeader }
        if contentLengths > 0 && transferEncodings > 0 { return .contentLengthWithTransferEncoding }
        if contentLengths > 1 { return .duplicateContentLength }
        if isLengthMalformed { return .malformedContentLength }
        if transferEncodings > 1 || transferEncodings == 1 && !isChunked { return .unsupportedTransferEncoding }
        if !method.takesBody && (announcedLength > 0 || transferEncodings > 0) { return .bodyWithBodilessMethod }
        return .ok
    }
}

/// The characters of a token (RFC 9110 §5.6.2): letters, digits and ``!#$%&'*+-.^_`|~``, a bit for each ASCII character.
private func isToken(_ bytes: UnsafeRawBufferPointer) -> Bool {
    for byte in bytes {
        let set: UInt64 = byte < 64 ? 0x03ff6cfa00000000 : 0x57ffffffc7fffffe
        guard byte < 128, set >> UInt64(byte & 63) & 1 == 1 else { return false }
    }
    return true
}

/// Compares with a lower-case ASCII text: the name of a header, for one.
package func equalsIgnoringCase(_ bytes: UnsafeRawBufferPointer, lowercased text: StaticString) -> Bool {
    guard bytes.count == text.utf8CodeUnitCount else { return false }
    return text.withUTF8Buffer { expected in
        for index in expected.indices where lowercase(bytes[index]) != expected[index] { return false }
        return true
    }
}

/// Compares with a name, without case.
func equalsIgnoringCase(_ bytes: UnsafeRawBufferPointer, _ name: String) -> Bool {
    guard bytes.count == name.utf8.count else { return false }
    return zip(bytes, name.utf8).allSatisfy { lowercase($0) == lowercase($1) }
}

private func lowercase(_ byte: UInt8) -> UInt8 {
    (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte) ? byte | 0x20 : byte
}
