/// Whether everybody reads a request alike: where it ends, and what it asks. Where that is in doubt, this server and a proxy
/// before it may disagree about what is a request of its own (request smuggling, RFC 9112 §11.2): refuse the request; the
/// connection closes after the answer, whatever `HTTPExchange.reply` is told.
public enum HTTPFraming: Hashable, Sendable {
    /// Nothing to object to.
    case ok
    /// The first line is not a method, a target and a version with a blank between them and CR LF behind (RFC 9112 §3); or the
    /// target is neither a path nor an address that begins with `http`.
    case malformedRequestLine
    /// The first byte is that of a TLS record (RFC 8446 §5.1), which no method begins with: the peer takes the port for one that
    /// is encrypted.
    case tlsHandshake
    /// A version other than 1.x, which RFC 9110 §15.6.6 has answered with 505.
    case unsupportedVersion
    /// A line without colon, a name that is no token, such as `Content-Length :`, a line that goes on in the next one, a control
    /// character, a line that does not end with CR LF.
    case malformedHeader
    /// No `Host` in HTTP/1.1, more than one, or one that is no host (RFC 9112 §3.2).
    case badHost
    /// More than one Content-Length, the same or not.
    case duplicateContentLength
    /// A Content-Length that is not digits only.
    case malformedContentLength
    /// Both Content-Length and Transfer-Encoding.
    case contentLengthWithTransferEncoding
    /// A Transfer-Encoding other than one `chunked`, or any in HTTP/1.0 (RFC 9112 §6.1).
    case unsupportedTransferEncoding
    /// A chunk that is not written as RFC 9112 §7.1 has it, or a trailer that is none.
    case malformedChunk
    /// A body with a method that takes none.
    case bodyWithBodilessMethod
    /// An `Expect` other than `100-continue`, which RFC 9110 §10.1.1 has answered with 417.
    case unknownExpectation
}

/// The headers that decide about a request's framing, noted one by one.
struct FramingEvidence {
    private var hosts = 0
    private var isHostMalformed = false
    private var contentLengths = 0
    private var transferEncodings = 0
    private var isLengthMalformed = false
    private var isChunked = false
    private var isChunkMalformed = false
    private var isExpectationUnknown = false
    private var connections = 0
    private var isHTTP11 = true
    /// A `Connection` that says anything but `keep-alive`.
    private(set) var hasConnectionOption = false
    /// The connection ends with the answer (RFC 9112 §9.3).
    private(set) var closes = false
    /// No header that follows can mend it.
    private(set) var isMalformed = false
    /// The body's length by the first Content-Length; 0 without one.
    private(set) var announcedLength = 0

    var hasTransferEncoding: Bool { transferEncodings > 0 }

    mutating func addMalformed() { isMalformed = true }

    mutating func addMalformedChunk() { isChunkMalformed = true }

    /// Notes a header. evhttp takes only the bare word for `chunked`, so that whatever it would overlook is not chunked here
    /// either.
    mutating func add(name: UnsafeRawBufferPointer, value: UnsafeRawBufferPointer) {
        if !HTTPSyntax.isToken(name) || !HTTPSyntax.isFieldValue(value) { isMalformed = true }
        switch name.count {
        case 4 where equalsIgnoringCase(name, lowercased: "host"):
            hosts += 1
            if !HTTPSyntax.isHost(value) { isHostMalformed = true }
        case 6 where equalsIgnoringCase(name, lowercased: "expect"):
            if !equalsIgnoringCase(value, lowercased: "100-continue") { isExpectationUnknown = true }
        case 10 where equalsIgnoringCase(name, lowercased: "connection"): addConnection(value)
        case 14 where equalsIgnoringCase(name, lowercased: "content-length"):
            contentLengths += 1
            addLength(value)
        case 17 where equalsIgnoringCase(name, lowercased: "transfer-encoding"):
            transferEncodings += 1
            isChunked = equalsIgnoringCase(value, lowercased: "chunked")
        default: break
        }
    }

    /// A list of options (RFC 9110 §7.6.1); what else is in it changes nothing.
    private mutating func addConnection(_ value: UnsafeRawBufferPointer) {
        connections += 1
        guard !equalsIgnoringCase(value, lowercased: "keep-alive") else { return }
        hasConnectionOption = true
        for option in value.split(separator: UInt8(ascii: ",")) {
            var option = option.drop { HTTPSyntax.isSpace($0) }
            while let last = option.last, HTTPSyntax.isSpace(last) { option.removeLast() }
            if equalsIgnoringCase(UnsafeRawBufferPointer(rebasing: option), lowercased: "close") { closes = true }
        }
    }

    private mutating func addLength(_ value: UnsafeRawBufferPointer) {
        guard (1...18).contains(value.count), value.allSatisfy({ (48...57).contains($0) }) else {
            isLengthMalformed = true
            return
        }
        if contentLengths == 1 { announcedLength = value.reduce(0) { $0 * 10 + Int($1 - 48) } }
    }

    /// All headers have come.
    mutating func end(isHTTP11: Bool) {
        self.isHTTP11 = isHTTP11
        // HTTP/1.0 goes on when it asks for that and for nothing else.
        if !isHTTP11 && (connections != 1 || hasConnectionOption) { closes = true }
    }

    func verdict(_ method: HTTPMethod) -> HTTPFraming {
        if isMalformed { return .malformedHeader }
        if isHostMalformed || hosts > 1 || hosts == 0 && isHTTP11 { return .badHost }
        if contentLengths > 0 && transferEncodings > 0 { return .contentLengthWithTransferEncoding }
        if contentLengths > 1 { return .duplicateContentLength }
        if isLengthMalformed { return .malformedContentLength }
        if transferEncodings > 1 || transferEncodings == 1 && (!isChunked || !isHTTP11) { return .unsupportedTransferEncoding }
        if isChunkMalformed { return .malformedChunk }
        if !method.takesBody && (announcedLength > 0 || transferEncodings > 0) { return .bodyWithBodilessMethod }
        if isExpectationUnknown && isHTTP11 { return .unknownExpectation }
        return .ok
    }
}
