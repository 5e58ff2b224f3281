/// Whether it is beyond doubt where a request ends. Where it is not, this server and a proxy before it may disagree about what is a request of its own
/// (request smuggling, RFC 9112 §11.2): refuse the request; `HTTPExchange.reply` closes the connection whatever it is told.
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
    /// A header's name that is no token, such as `Content-Length :`.
    case malformedHeaderName

    /// The fields that decide, collected header by header.
    struct Evidence {
        private var contentLengths = 0
        private var contentLength = 0
        private var isLengthMalformed = false
        private var transferEncodings = 0
        private var isChunked = false
        private var isNameMalformed = false

        /// Takes note of a header. evhttp finds `chunked` only when it is written just so, so what it would overlook is not chunked here either.
        mutating func add(name: UnsafeRawBufferPointer, value: UnsafeRawBufferPointer) {
            if !name.allSatisfy(isToken) || name.isEmpty { isNameMalformed = true }
            if equalsIgnoringCase(name, "content-length") {
                contentLengths += 1
                addLength(value)
            } else if equalsIgnoringCase(name, "transfer-encoding") {
                transferEncodings += 1
                isChunked = equalsIgnoringCase(value, "chunked")
            }
        }

        private mutating func addLength(_ value: UnsafeRawBufferPointer) {
            guard (1...18).contains(value.count), value.allSatisfy({ (48...57).contains($0) }) else {
                isLengthMalformed = true
                return
            }
            if contentLengths == 1 { contentLength = value.reduce(0) { $0 * 10 + Int($1 - 48) } }
        }

        /// The body's announced length; 0 without Content-Length.
        var announcedLength: Int { contentLength }

        func verdict(_ method: HTTPMethod) -> HTTPFraming {
            if isNameMalformed { return .malformedHeaderName }
            if contentLengths > 0 && transferEncodings > 0 { return .contentLengthWithTransferEncoding }
            if contentLengths > 1 { return .duplicateContentLength }
            if isLengthMalformed { return .malformedContentLength }
            if transferEncodings > 1 || transferEncodings == 1 && !isChunked { return .unsupportedTransferEncoding }
            if !method.takesBody && (contentLength > 0 || transferEncodings > 0) { return .bodyWithBodilessMethod }
            return .ok
        }
    }
}

/// RFC 9110 §5.6.2.
private func isToken(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"): true
    case UInt8(ascii: "!"), UInt8(ascii: "#"), UInt8(ascii: "$"), UInt8(ascii: "%"), UInt8(ascii: "&"), UInt8(ascii: "'"),
        UInt8(ascii: "*"):
        true
    case UInt8(ascii: "+"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "^"), UInt8(ascii: "_"), UInt8(ascii: "`"),
        UInt8(ascii: "|"):
        true
    case UInt8(ascii: "~"): true
    default: false
    }
}

/// Compares with a lower-case ASCII text.
func equalsIgnoringCase(_ bytes: UnsafeRawBufferPointer, _ text: StaticString) -> Bool {
    guard bytes.count == text.utf8CodeUnitCount else { return false }
    return text.withUTF8Buffer { expected in
        for index in expected.indices {
            let byte = bytes[index]
            let lower = (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte) ? byte | 0x20 : byte
            if lower != expected[index] { return false }
        }
        return true
    }
}
