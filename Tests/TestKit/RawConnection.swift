import Glibc

/// A blocking connection that sends exactly the bytes it is told, and reads replies: what a stock client would refuse to send is
/// part of what is tested.
public final class RawConnection {
    /// Why a call failed.
    public struct Failure: Error, CustomStringConvertible {
        /// Which call, and errno.
        public let description: String
    }

    private let descriptor: Int32
    private var unread: [UInt8] = []

    /// Connects to 127.0.0.1; no read or write waits longer than a minute.
    /// - Parameter receiveBuffer: how much the system takes for it that it has not read, in bytes, or twice as much; `nil`: as
    ///   much as the system likes, which may be tens of megabytes.
    public init(port: UInt16, receiveBuffer: Int32? = nil) throws {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw Failure(description: "socket: \(errno)") }
        var patience = timeval(tv_sec: 60, tv_usec: 0)
        for option in [SO_RCVTIMEO, SO_SNDTIMEO] {
            setsockopt(descriptor, SOL_SOCKET, option, &patience, socklen_t(MemoryLayout<timeval>.size))
        }
        if var receiveBuffer {
            setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &receiveBuffer, socklen_t(MemoryLayout<Int32>.size))
        }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = in_addr_t(0x7F00_0001).bigEndian
        let result = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard result == 0 else {
            let reason = errno
            close(descriptor)
            throw Failure(description: "connect: \(reason)")
        }
    }

    deinit { close(descriptor) }

    /// Sends all bytes.
    public func send(_ bytes: some Collection<UInt8>) throws {
        var rest = [UInt8](bytes)[...]
        while !rest.isEmpty {
            let sent = rest.withUnsafeBytes { Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
            guard sent > 0 else { throw Failure(description: "send: \(errno)") }
            rest = rest.dropFirst(sent)
        }
    }

    /// Sends the text in UTF-8.
    public func send(_ text: String) throws { try send(Array(text.utf8)) }

    /// Reads one reply.
    /// - Parameter toHead: the reply to a HEAD, which has no body whatever its headers say.
    public func reply(toHead: Bool = false) throws -> HTTPReply {
        let (status, headers) = try replyHead()
        let body = try read(toHead ? 0 : headers["content-length"].flatMap(Int.init) ?? 0)
        return HTTPReply(status: status, headers: headers, body: body)
    }

    /// Reads the head of a reply: what follows is read by ``read(_:)`` or ``readLine()``.
    public func replyHead() throws -> (status: Int, headers: [String: String]) {
        let statusLine = try readLine()
        let words = statusLine.split(separator: " ")
        guard words.count >= 2, let status = Int(words[1]) else { throw Failure(description: "bad status line: \(statusLine)") }
        var headers: [String: String] = [:]
        while case let line = try readLine(), !line.isEmpty {
            guard let colon = line.firstIndex(of: ":") else { continue }
            headers[line[..<colon].lowercased()] = String(line[line.index(after: colon)...].drop { $0 == " " })
        }
        return (status, headers)
    }

    /// Reads so many bytes.
    public func read(_ count: Int) throws -> [UInt8] {
        while unread.count < count { guard try readMore() else { throw Failure(description: "closed too early") } }
        defer { unread.removeFirst(count) }
        return [UInt8](unread[..<count])
    }

    /// Reads up to the next CR LF, which is left away.
    public func readLine() throws -> String {
        while true {
            if let end = unread.indices.first(where: { unread[$0...].starts(with: [13, 10]) }) {
                defer { unread.removeFirst(end + 2) }
                return String(decoding: unread[..<end], as: UTF8.self)
            }
            guard try readMore() else { throw Failure(description: "closed before the end of a line") }
        }
    }

    /// Reads one chunk of a body (RFC 9112 §7.1); empty at the end.
    public func readChunk() throws -> String {
        let line = try readLine()
        guard let count = Int(line, radix: 16) else { throw Failure(description: "no chunk: \(line)") }
        defer { _ = try? readLine() }
        return String(decoding: try read(count), as: UTF8.self)
    }

    /// Whether the server has closed the connection, and nothing came before.
    public func isClosedByServer() throws -> Bool { try unread.isEmpty && !readMore() }

    /// - Returns: false at the end.
    private func readMore() throws -> Bool {
        var buffer = [UInt8](repeating: 0, count: 65536)
        let count = buffer.withUnsafeMutableBytes { recv(descriptor, $0.baseAddress, $0.count, 0) }
        if count < 0, errno == ECONNRESET { return false }
        guard count >= 0 else { throw Failure(description: "recv: \(errno)") }
        unread.append(contentsOf: buffer[..<count])
        return count > 0
    }
}

/// A reply as a caller sees it.
public struct HTTPReply {
    /// The status code.
    public let status: Int
    /// By lower-case name.
    public let headers: [String: String]
    /// The body.
    public let body: [UInt8]

    /// The body, which must be text.
    public var text: String { String(decoding: body, as: UTF8.self) }
}
