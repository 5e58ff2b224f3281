internal import Glibc

/// What is answered.
struct HTTPAnswer: Sendable {
    let status: Int
    let headers: [(String, String)]
    let body: [UInt8]
    /// The connection closes after it.
    var closing: Bool
    /// By what the request is called (`X-Request-Id`), where it is told; no line breaks.
    var requestID: String?
    /// False for HEAD: only the length is told.
    var isBodySent = true
    /// False for HEAD where the body would be streamed.
    var isLengthTold = true

    /// RFC 9110 §15: these have none.
    var canHaveBody: Bool { status >= 200 && status != 204 && status != 304 }

    /// Whether it is one of those that come in numbers: a success, on a connection that goes on.
    var isOrdinary: Bool { isBodySent && !closing && (200...202).contains(status) }

    /// The same as the last of its connection.
    var closed: HTTPAnswer {
        var answer = self
        answer.closing = true
        return answer
    }

    /// Puts the bytes of the answer together, for HTTP/1.1. Whatever was in the buffer goes.
    /// - Parameter keepAlive: how long the connection is kept after it, as the header says it.
    func write(into buffer: inout [UInt8], date: String, keepAlive: String? = nil) {
        // One large list must not hold its memory until the server ends.
        buffer.removeAll(keepingCapacity: buffer.capacity <= 64 * 1024)
        switch status {
        case 200: Self.append("HTTP/1.1 200 OK\r\n", to: &buffer)
        case 201: Self.append("HTTP/1.1 201 Created\r\n", to: &buffer)
        case 202: Self.append("HTTP/1.1 202 Accepted\r\n", to: &buffer)
        default: Self.append(text: "HTTP/1.1 \(status) \r\n", to: &buffer)
        }
        if closing { Self.append("Connection: close\r\n", to: &buffer) }
        if let keepAlive {
            // `Connection` names the headers that are about the connection (RFC 9110 §7.6.1); it is the option of that name too.
            Self.append("Connection: keep-alive\r\nKeep-Alive: ", to: &buffer)
            Self.append(text: keepAlive, to: &buffer)
            Self.append("\r\n", to: &buffer)
        }
        for (name, value) in headers {
            Self.append(header: name, to: &buffer)
            Self.append(": ", to: &buffer)
            Self.append(header: value, to: &buffer)
            Self.append("\r\n", to: &buffer)
        }
        if let requestID {
            Self.append("X-Request-Id: ", to: &buffer)
            Self.append(header: requestID, to: &buffer)
            Self.append("\r\n", to: &buffer)
        }
        if canHaveBody {
            Self.append("Content-Length: ", to: &buffer)
            Self.append(text: String(body.count), to: &buffer)
            Self.append("\r\n", to: &buffer)
        }
        Self.append("Date: ", to: &buffer)
        Self.append(text: date, to: &buffer)
        Self.append("\r\n\r\n", to: &buffer)
        if isBodySent { buffer.append(contentsOf: body) }
    }

    private static func append(_ text: StaticString, to buffer: inout [UInt8]) {
        text.withUTF8Buffer { buffer.append(contentsOf: $0) }
    }

    private static func append(text: String, to buffer: inout [UInt8]) {
        var text = text
        text.withUTF8 { buffer.append(contentsOf: $0) }
    }

    private static func append(header text: String, to buffer: inout [UInt8]) {
        var text = text
        text.withUTF8 { bytes in
            if let start = bytes.baseAddress {
                precondition(
                    memchr(start, 10, bytes.count) == nil && memchr(start, 13, bytes.count) == nil, "a header with a line break")
            }
            buffer.append(contentsOf: bytes)
        }
    }
}
