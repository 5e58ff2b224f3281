/// Whether it is beyond doubt where a request ends. Where it is not, this server and a proxy before it may disagree about what is a request of its own
/// (request smuggling, RFC 9112 §11.2): refuse the request; the connection closes after the answer, whatever `HTTPExchange.reply` is told.
public enum HTTPFraming: Hashable, Sendable {
    /// Nothing to object to.
    case ok
    /// More than one Content-Length, the same or not.
    case duplicateContentLength
    /// A Content-Length that is not digits only.
    case malformedContentLength
    /// Both Content-Length and Transfer-Encoding.
    case contentLengthWithTransferEncoding
    /// A Transfer-Encoding other than one `chunked`.
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
    /// No header that follows can mend it.
    private(set) var isMalformed = false
    /// The body's length by the first Content-Length; 0 without one.
    private(set) var announcedLength = 0

    var hasTransferEncoding: Bool { transferEncodings > 0 }

    mutating func addMalformed() { isMalformed = true }

    /// Notes a header. evhttp takes only the bare word for `chunked`, so that whatever it would overlook is not chunked here either.
    mutating func add(name: UnsafeRawBufferPointer, value: UnsafeRawBufferPointer) {
        if name.isEmpty || !name.allSatisfy(isToken) { isMalformed = true }
        last = .other
        if equalsIgnoringCase(name, "content-length") {
            last = .contentLength
            contentLengths += 1
            addLength(value)
        } else if equalsIgnoringCase(name, "transfer-encoding") {
            last = .transferEncoding
            transferEncodings += 1
            isChunked = equalsIgnoringCase(value, "chunked")
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

/// RFC 9110 §5.6.2, as a set of the ASCII characters: 0 to 63, and 64 to 127.
private let tokenCharacters: (UInt64, UInt64) = {
    var low: UInt64 = 0
    var high: UInt64 = 0
    for byte in "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ".utf8 {
        if byte < 64 { low |= 1 << UInt64(byte) } else { high |= 1 << UInt64(byte - 64) }
    }
    return (low, high)
}()

private func isToken(_ byte: UInt8) -> Bool {
    guard byte < 128 else { return false }
    return (byte < 64 ? tokenCharacters.0 : tokenCharacters.1) >> UInt64(byte & 63) & 1 == 1
}

/// Compares with a lower-case ASCII text.
func equalsIgnoringCase(_ bytes: UnsafeRawBufferPointer, _ text: StaticString) -> Bool {
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
