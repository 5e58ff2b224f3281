import Testing

/// A request, and what becomes of it, on whichever way.
struct SyntaxCase: CustomTestStringConvertible {
    enum Outcome: Equatable {
        /// The handler gets the body; the connection goes on.
        case served(body: String)
        /// The same, and the connection closes.
        case servedLast(body: String)
        /// The handler is told this framing; the connection closes.
        case refused(String)
    }

    let name: String
    let request: String
    let outcome: Outcome
    var testDescription: String { name }

    init(_ name: String, _ request: String, _ outcome: Outcome) {
        (self.name, self.request, self.outcome) = (name, request, outcome)
    }

    /// A body in chunks.
    fileprivate static func chunks(_ name: String, _ body: String, _ outcome: Outcome) -> SyntaxCase {
        SyntaxCase("chunks: " + name, "POST /r HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n" + body, outcome)
    }

    /// Lines of a head behind the request line and `Host`.
    fileprivate static func lines(_ lines: String, _ outcome: Outcome) -> SyntaxCase {
        SyntaxCase("line: \(lines)", "GET /r HTTP/1.1\r\nHost: h\r\n\(lines)\r\n\r\n", outcome)
    }

    /// A first line.
    fileprivate static func first(_ line: String, _ outcome: Outcome) -> SyntaxCase {
        SyntaxCase("first line: \(line)", "\(line)\r\nHost: h\r\n\r\n", outcome)
    }

    /// What comes before a request.
    fileprivate static func before(_ text: String, _ outcome: Outcome) -> SyntaxCase {
        SyntaxCase("before a request: \(text)", text + "GET /r HTTP/1.1\r\nHost: h\r\n\r\n", outcome)
    }
}

// RFC 9112 §7.1: a chunk.
private let chunks: [SyntaxCase] = [
    .chunks("as they are", "5\r\nhello\r\n0\r\n\r\n", .served(body: "hello")),
    .chunks(
        "zeros before the size, capitals", "005\r\nhello\r\n0B\r\nhello world\r\n000\r\n\r\n", .served(body: "hellohello world")),
    .chunks("none", "0\r\n\r\n", .served(body: "")),
    .chunks("0x", "0x5\r\nhello\r\n0\r\n\r\n", .refused("malformedChunk")),
    .chunks("a plus", "+5\r\nhello\r\n0\r\n\r\n", .refused("malformedChunk")),
    .chunks("a minus", "-0\r\n\r\n", .refused("malformedChunk")),
    .chunks("a blank before the size", " 5\r\nhello\r\n0\r\n\r\n", .refused("malformedChunk")),
    .chunks("a blank behind the size", "5 \r\nhello\r\n0\r\n\r\n", .refused("malformedChunk")),
    .chunks("two numbers", "5 6\r\nhello\r\n0\r\n\r\n", .refused("malformedChunk")),
    .chunks("no number", "g\r\nhello\r\n0\r\n\r\n", .refused("malformedChunk")),
    .chunks("an empty line before a size", "\r\n5\r\nhello\r\n0\r\n\r\n", .refused("malformedChunk")),
    .chunks("two line ends behind the data", "5\r\nhello\r\n\r\n0\r\n\r\n", .refused("malformedChunk")),
    .chunks("no line end behind the data", "5\r\nhello0\r\n\r\n", .refused("malformedChunk")),
    .chunks("more data than announced", "5\r\nhello world\r\n0\r\n\r\n", .refused("malformedChunk")),
    .chunks("LF behind the size", "5\nhello\r\n0\r\n\r\n", .refused("malformedChunk")),
    .chunks("LF behind the data", "5\r\nhello\n0\r\n\r\n", .refused("malformedChunk")),
    .chunks("LF at the end", "5\r\nhello\r\n0\r\n\n", .refused("malformedChunk")),
    .chunks("CRs before a size", "5\r\nhello\r\r\r21\r\n0\r\n\r\n", .refused("malformedChunk")),
    .chunks("two CRs", "5\r\r\nhello\r\n0\r\n\r\n", .refused("malformedChunk")),
    .chunks("a NUL in the size", "5\u{0}\r\nhello\r\n0\r\n\r\n", .refused("malformedChunk")),
    .chunks("a size that wraps around", "10000000000000005\r\nhello\r\n0\r\n\r\n", .refused("malformedChunk")),
    .chunks("a size without end", String(repeating: "0", count: 2000) + "5\r\nhello\r\n0\r\n\r\n", .refused("malformedChunk")),
    .chunks("an extension", "5;a=b\r\nhello\r\n0;last\r\n\r\n", .served(body: "hello")),
    .chunks("extensions of all kinds", "5 ; a = \"b;c\"\t;d;\r\nhello\r\n0\t;\r\n\r\n", .served(body: "hello")),
    .chunks("LF in an extension", "5;a\nb\r\nhello\r\n0\r\n\r\n", .refused("malformedChunk")),
    .chunks("CR in an extension", "5;a\rb\r\nhello\r\n0\r\n\r\n", .refused("malformedChunk")),
    .chunks("an extension without end", "5;" + String(repeating: "a", count: 100_000), .refused("malformedChunk")),
    .chunks(
        "many extensions", String(repeating: "1;" + String(repeating: "a", count: 500) + "\r\na\r\n", count: 100),
        .refused("malformedChunk")),
    .chunks("a trailer, which is dropped", "5\r\nhello\r\n0\r\nX-Ask: t\r\nConnection: close\r\n\r\n", .served(body: "hello")),
    .chunks(
        "a trailer of several lines", "0\r\nA: \r\nB:b\r\nContent-Length: 99\r\nTransfer-Encoding: gzip\r\n\r\n",
        .served(body: "")),
    .chunks("a trailer without a colon", "0\r\nno colon\r\n\r\n", .refused("malformedChunk")),
    .chunks("a trailer without a name", "0\r\n: x\r\n\r\n", .refused("malformedChunk")),
    .chunks("a trailer that begins with a blank", "0\r\n x: y\r\n\r\n", .refused("malformedChunk")),
    .chunks("a folded trailer", "0\r\nx: y\r\n z\r\n\r\n", .refused("malformedChunk")),
    .chunks("a trailer that ends with LF", "0\r\nx: y\n\r\n", .refused("malformedChunk")),
    .chunks("a control character in a trailer", "0\r\nx: y\u{1}\r\n\r\n", .refused("malformedChunk")),
    .chunks("a trailer without end", "0\r\nx: " + String(repeating: "a", count: 100_000), .refused("malformedChunk")),
]

// RFC 9112 §2.3, RFC 9110 §2.5: a version.
private let versions: [SyntaxCase] = [
    .first("GET /r HTTP/1.0", .servedLast(body: "")),
    .first("GET /r HTTP/1.7", .served(body: "")),
    .first("GET /r HTTP/2.0", .refused("unsupportedVersion")),
    .first("GET /r HTTP/0.9", .refused("unsupportedVersion")),
    .first("GET /r HTTP/9.9", .refused("unsupportedVersion")),
    .first("GET /r HTTP/1.10", .refused("malformedRequestLine")),
    .first("GET /r HTTP/1.-1", .refused("malformedRequestLine")),
    .first("GET /r HTTP/1.", .refused("malformedRequestLine")),
    .first("GET /r HTTP/01.1", .refused("malformedRequestLine")),
    .first("GET /r HTTP/ 1.1", .refused("malformedRequestLine")),
    .first("GET /r http/1.1", .refused("malformedRequestLine")),
    .first("GET /r HTTPS/1.1", .refused("malformedRequestLine")),
    .first("GET /r", .refused("malformedRequestLine")),
]

// RFC 9112 §3: a request line.
private let firstLines: [SyntaxCase] = [
    .first("GET  /r HTTP/1.1", .refused("malformedRequestLine")),
    .first("GET /r  HTTP/1.1", .refused("malformedRequestLine")),
    .first("GET\t/r\tHTTP/1.1", .refused("malformedRequestLine")),
    .first("GET /r HTTP/1.1 ", .refused("malformedRequestLine")),
    .first(" GET /r HTTP/1.1", .refused("malformedRequestLine")),
    .first("GET /r /s HTTP/1.1", .refused("malformedRequestLine")),
    .first("GET /r\u{1}s HTTP/1.1", .refused("malformedRequestLine")),
    .first("GET /r\u{7f}s HTTP/1.1", .refused("malformedRequestLine")),
    .first("GET /r\rs HTTP/1.1", .refused("malformedRequestLine")),
    .first("GET /r\u{0} HTTP/1.1", .refused("malformedRequestLine")),
    .first("G(T /r HTTP/1.1", .refused("malformedRequestLine")),
    .first("GET", .refused("malformedRequestLine")),
    .first("nonsense and more", .refused("malformedRequestLine")),
    .first("GET r HTTP/1.1", .refused("malformedRequestLine")),
    .first("GET //h:x/r HTTP/1.1", .refused("malformedRequestLine")),
    .first("GET ftp://h/r HTTP/1.1", .refused("malformedRequestLine")),
    .first("GET http:///r HTTP/1.1", .refused("malformedRequestLine")),
    .first("GET http://h HTTP/1.1", .served(body: "")),
    .first("GET http://u@h:x/r HTTP/1.1", .refused("malformedRequestLine")),
    .first("GET x?u=http://a/r HTTP/1.1", .refused("malformedRequestLine")),
    .first("GET /r?u=http://a/s HTTP/1.1", .served(body: "")),
    .first("GET http://h:80/r HTTP/1.1", .served(body: "")),
    .first("GET HTTPS://[::1]/r HTTP/1.7", .served(body: "")),
    .first("CONNECT h:x HTTP/1.1", .refused("malformedRequestLine")),
    .first("X / HTTP/1.1", .refused("malformedRequestLine")),
    .first("A http://h/ HTTP/1.1", .refused("malformedRequestLine")),
    .first("A http://h HTTP/1.1", .refused("malformedRequestLine")),
    .first("ABC http://h/ HTTP/1.1", .served(body: "")),
    .first("GET /r#s HTTP/1.1", .refused("malformedRequestLine")),
    .first("GET /r?q#s HTTP/1.1", .refused("malformedRequestLine")),
    .first("GET /# HTTP/1.1", .refused("malformedRequestLine")),
    .first("GET http://h/r#s HTTP/1.1", .refused("malformedRequestLine")),
    .first("\u{16}\u{3}\u{1} /r HTTP/1.1", .refused("tlsHandshake")),
    SyntaxCase("first line: LF alone", "GET /r HTTP/1.1\nHost: h\r\n\r\n", .refused("malformedRequestLine")),
    SyntaxCase("nothing but lines", "nonsense\r\n\r\n\r\n", .refused("malformedRequestLine")),
]

// RFC 9110 §5.5, RFC 9112 §5: headers.
private let headers: [SyntaxCase] = [
    .lines("X: y", .served(body: "")),
    .lines("X:", .served(body: "")),
    .lines("X:\ty\tz \t", .served(body: "")),
    .lines("X: \u{e9}", .served(body: "")),
    SyntaxCase(
        "chunked behind a tab",
        "POST /r HTTP/1.1\r\nHost: h\r\nTransfer-Encoding:\t chunked\t\r\n\r\n5\r\nhello\r\n0\r\n\r\n", .served(body: "hello")),
    SyntaxCase(
        "a length behind a tab", "POST /r HTTP/1.1\r\nHost: h\r\nContent-Length:\t5\r\n\r\nhello", .served(body: "hello")),
    .lines("no colon", .refused("malformedHeader")),
    .lines(": y", .refused("malformedHeader")),
    .lines("X : y", .refused("malformedHeader")),
    .lines("X\t: y", .refused("malformedHeader")),
    .lines("X Y: z", .refused("malformedHeader")),
    .lines("X\u{1}: y", .refused("malformedHeader")),
    .lines("\u{e9}: y", .refused("malformedHeader")),
    .lines("X: a\u{0}b", .refused("malformedHeader")),
    .lines("X: a\u{1}b", .refused("malformedHeader")),
    .lines("X: a\u{7f}b", .refused("malformedHeader")),
    .lines("X: a\rb", .refused("malformedHeader")),
    .lines("X: a\r", .refused("malformedHeader")),
    .lines("X: a\nY: b", .refused("malformedHeader")),
    .lines("X: a\r\n b", .refused("malformedHeader")),
    .lines("X: a\r\n\tb", .refused("malformedHeader")),
    SyntaxCase("a fold behind the request line", "GET /r HTTP/1.1\r\n X: a\r\nHost: h\r\n\r\n", .refused("malformedHeader")),
    SyntaxCase("a head that ends with LF", "GET /r HTTP/1.1\r\nHost: h\r\n\n", .refused("malformedHeader")),
]

// RFC 9112 §3.2: Host.
private let hosts: [SyntaxCase] = [
    SyntaxCase("no Host", "GET /r HTTP/1.1\r\n\r\n", .refused("badHost")),
    SyntaxCase("no Host in an absolute form", "GET http://h/r HTTP/1.1\r\n\r\n", .refused("badHost")),
    SyntaxCase("no Host in HTTP/1.0", "GET /r HTTP/1.0\r\n\r\n", .servedLast(body: "")),
    SyntaxCase("an empty Host", "GET /r HTTP/1.1\r\nHost:\r\n\r\n", .served(body: "")),
    .lines("Host: h", .refused("badHost")),
    .lines("hOST: g", .refused("badHost")),
    SyntaxCase("two Hosts in one", "GET /r HTTP/1.1\r\nHost: a b\r\n\r\n", .refused("badHost")),
    SyntaxCase("a path in Host", "GET /r HTTP/1.1\r\nHost: a/b\r\n\r\n", .refused("badHost")),
    SyntaxCase("a user in Host", "GET /r HTTP/1.1\r\nHost: u@h\r\n\r\n", .refused("badHost")),
    SyntaxCase("a Host with a port", "GET /r HTTP/1.1\r\nHost: h-1.example:8080\r\n\r\n", .served(body: "")),
    SyntaxCase("a Host of IPv6", "GET /r HTTP/1.1\r\nHost: [::1]:80\r\n\r\n", .served(body: "")),
]

// RFC 9112 §9.3: whether the connection goes on.
private let connections: [SyntaxCase] = [
    .lines("Connection: close", .servedLast(body: "")),
    .lines("Connection: TE, close", .servedLast(body: "")),
    .lines("Connection: keep-alive, Close", .servedLast(body: "")),
    .lines("Connection: close,keep-alive", .servedLast(body: "")),
    .lines("Connection: keep-alive\r\nConnection: ,\t close ,", .servedLast(body: "")),
    .lines("Connection: TE", .served(body: "")),
    .lines("Connection: not-close", .served(body: "")),
    SyntaxCase(
        "HTTP/1.0, kept alive", "GET /r HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", .served(body: "")),
    SyntaxCase(
        "HTTP/1.0, kept alive and not", "GET /r HTTP/1.0\r\nConnection: keep-alive, close\r\n\r\n", .servedLast(body: "")),
    SyntaxCase(
        "HTTP/1.0, chunked",
        "POST /r HTTP/1.0\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
        .refused("unsupportedTransferEncoding")),
]

// RFC 9110 §10.1.1: Expect. RFC 9112 §2.2: empty lines before a request.
private let others: [SyntaxCase] = [
    SyntaxCase(
        "an expectation", "POST /r HTTP/1.1\r\nHost: h\r\nExpect: nonsense\r\nContent-Length: 2\r\n\r\nhi",
        .refused("unknownExpectation")),
    SyntaxCase(
        "an expectation beside the known one",
        "POST /r HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nExpect: x\r\nContent-Length: 2\r\n\r\nhi",
        .refused("unknownExpectation")),
    .lines("Expect: nonsense", .refused("unknownExpectation")),
    SyntaxCase(
        "an expectation of HTTP/1.0", "POST /r HTTP/1.0\r\nExpect: nonsense\r\nContent-Length: 2\r\n\r\nhi",
        .servedLast(body: "hi")),
    .before("\r\n", .served(body: "")),
    .before("\r\n\r\n", .served(body: "")),
    .before(String(repeating: "\r\n", count: 100), .refused("malformedRequestLine")),
    .before("\n", .refused("malformedRequestLine")),
    .before("\r", .refused("malformedRequestLine")),
    .before("\r\r\n", .refused("malformedRequestLine")),
    .before(" \r\n", .refused("malformedRequestLine")),
]

/// Everything that is asked of how a request is written.
let syntaxCases: [SyntaxCase] = chunks + versions + firstLines + headers + hosts + connections + others
