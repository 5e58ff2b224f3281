public import Base

/// The head of a request: what is known before its body has come.
///
/// `HTTPServer` shows it to its judge, and an exchange that was refused before its body has nothing else.
public struct HTTPRequestHead: Sendable {
    /// The method.
    public let method: HTTPMethod
    /// The target as it was sent; where that was an address with a host, its path and query.
    public let rawTarget: String
    /// The headers in the order and spelling of the request; white space around values is removed.
    public let headers: [(name: String, value: String)]
    /// How many bytes of body are announced: 0 without a body, nil where chunks will tell.
    public let bodyLength: Int?
    private let peer: SocketAddress?
    private let forwarding: HTTPForwarding?
    private let target: HTTPTarget

    /// The client's address, as `HTTPExchange.clientAddress` has it. Looked for each time.
    public var clientAddress: IPAddress? {
        peer.map { peer in forwarding?.client(of: peer.ip) { forEachHeader($0) } ?? peer.ip }
    }

    /// The path as it was sent: for taking it apart at `/` before decoding.
    public var rawPath: String { target.path }
    /// What follows the question mark, as it was sent; nil where there is none.
    public var query: String? { target.query }

    /// Calls `body` with the name and the value of each header, as `HTTPExchange.forEachHeader` does. The memory is valid inside
    /// the call only.
    public func forEachHeader(_ body: (_ name: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer) -> Void) {
        for var (name, value) in headers {
            name.withUTF8 { name in value.withUTF8 { body(UnsafeRawBufferPointer(name), UnsafeRawBufferPointer($0)) } }
        }
    }

    /// Takes the lines of a head apart, or what has come of its first; what is malformed in them has been found before.
    init(lines bytes: Slice<UnsafeRawBufferPointer>, bodyLength: Int?, peer: SocketAddress?, forwarding: HTTPForwarding?) {
        var method = HTTPMethod.other
        var rawTarget = ""
        var headers: [(name: String, value: String)] = []
        var isFirst = true
        for line in bytes.split(separator: 0x0a, omittingEmptySubsequences: false) {
            let line = UnsafeRawBufferPointer(rebasing: line.last == 0x0d ? line.dropLast() : line)
            if isFirst {
                let words = line.split(separator: UInt8(ascii: " "), maxSplits: 2)
                method = words.first.map { HTTPMethod(name: String(decoding: $0, as: UTF8.self)) } ?? .other
                rawTarget = words.count > 1 ? String(decoding: words[1], as: UTF8.self) : ""
                isFirst = false
            } else if !line.isEmpty {
                let (name, value) = splitHeader(line)
                headers.append((String(decoding: name, as: UTF8.self), String(decoding: value, as: UTF8.self)))
            }
        }
        (self.method, self.rawTarget, self.headers, self.bodyLength) = (method, rawTarget, headers, bodyLength)
        (self.peer, self.forwarding) = (peer, forwarding)
        target = HTTPTarget(rawTarget)
    }
}

/// What the judge of an `HTTPServer` says about a request whose body is still to come.
public enum HTTPBodyVerdict {
    /// At most so many bytes of body may come; the server's own limit (`HTTPLimits.maxBodyBytes`) holds beside it. What the judge
    /// has found out comes back with the whole request (`HTTPExchange.admission`), so that it need not be found out again.
    ///
    /// `isStranger`: of the peer nothing is known. Its body is waited for like the rest of a head: from a full server it goes for
    /// a newcomer.
    case accept(upTo: Int, isStranger: Bool = false, admission: AnyObject? = nil)
    /// None: the handler gets the request at once, without its body, and answers.
    case refuse
}
