import Glibc
import Libevent

/// A blocking client that sends just the bytes it is told, for what no HTTP library would send. Use it away from the loops.
final class RawSocket {
    let descriptor: Int32

    convenience init(_ address: SocketAddress) throws {
        try self.init()
        try connect(to: address)
    }

    /// A socket that is not connected yet.
    /// - Parameter receiveBuffer: how much the system takes that is not read, in bytes, or twice as much; nil: as
    ///   much as it likes.
    init(receiveBuffer: Int32? = nil) throws {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        guard descriptor >= 0 else { throw LibeventError.system(call: "socket", code: errno) }
        var time = timeval(tv_sec: 60, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &time, socklen_t(MemoryLayout<timeval>.size))
        if var receiveBuffer {
            setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &receiveBuffer, socklen_t(MemoryLayout<Int32>.size))
        }
    }

    func connect(to address: SocketAddress) throws {
        var target = sockaddr_in()
        target.sin_family = sa_family_t(AF_INET)
        target.sin_port = address.port.bigEndian
        inet_pton(AF_INET, address.host, &target.sin_addr)
        let result = withUnsafePointer(to: &target) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Glibc.connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard result == 0 else { throw LibeventError.system(call: "connect", code: errno) }
    }

    deinit { close(descriptor) }

    func send(_ text: String) throws { try send(Array(text.utf8)) }

    func send(_ bytes: [UInt8]) throws {
        var sent = 0
        while sent < bytes.count {
            let count = bytes[sent...].withUnsafeBytes { Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
            guard count > 0 else { throw LibeventError.system(call: "send", code: errno) }
            sent += count
        }
    }

    /// What one read gives; empty at the end of the stream.
    func read(atMost limit: Int = 65_536) throws -> [UInt8] {
        var buffer = [UInt8](repeating: 0, count: limit)
        let count = recv(descriptor, &buffer, limit, 0)
        guard count >= 0 else { throw LibeventError.system(call: "recv", code: errno) }
        return Array(buffer[..<count])
    }

    func read(exactly count: Int) throws -> [UInt8] {
        var bytes: [UInt8] = []
        while bytes.count < count {
            let more = try read(atMost: count - bytes.count)
            guard !more.isEmpty else { throw LibeventError.disconnected }
            bytes += more
        }
        return bytes
    }

    /// Everything until the peer closes. A reset counts as an end.
    func readToEnd() throws -> String {
        var bytes: [UInt8] = []
        while true {
            do {
                let more = try read()
                if more.isEmpty { break }
                bytes += more
            } catch LibeventError.system(_, ECONNRESET) {
                break
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Reads one HTTP answer with a Content-Length.
    func readAnswer() throws -> (status: Int, head: String, body: String) {
        var bytes: [UInt8] = []
        while !bytes.ends(with: Array("\r\n\r\n".utf8)) { bytes += try read(exactly: 1) }
        let head = String(decoding: bytes, as: UTF8.self)
        let length =
            head.split(separator: "\r\n").first { $0.lowercased().hasPrefix("content-length: ") }
            .flatMap { Int($0.dropFirst("content-length: ".count)) } ?? 0
        let body = try read(exactly: length)
        let status = Int(head.split(separator: " ")[1]) ?? 0
        return (status, head, String(decoding: body, as: UTF8.self))
    }

    func setNonblocking(_ on: Bool = true) {
        let flags = fcntl(descriptor, F_GETFL)
        _ = fcntl(descriptor, F_SETFL, on ? flags | O_NONBLOCK : flags & ~O_NONBLOCK)
    }

    /// Sends what the system takes at once, without blocking; nil when it has taken nothing for a second.
    func sendNow(_ bytes: [UInt8]) -> Int? {
        let count = Glibc.send(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL))
        if count > 0 { return count }
        var readiness = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
        return poll(&readiness, 1, 1000) == 1 ? 0 : nil
    }

    func shutDownWriting() { shutdown(descriptor, Int32(SHUT_WR)) }

    /// Closes with a reset.
    func setReset() {
        var option = linger(l_onoff: 1, l_linger: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &option, socklen_t(MemoryLayout<linger>.size))
    }
}

extension [UInt8] {
    fileprivate func ends(with suffix: [UInt8]) -> Bool { count >= suffix.count && Array(self.suffix(suffix.count)) == suffix }
}
