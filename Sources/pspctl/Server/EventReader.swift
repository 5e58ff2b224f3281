import Base
import Glibc
import Libevent

/// Reads server-sent events, as they come, until the server ends them: one connection, read by the calling thread.
struct EventReader {
    let endpoint: Endpoint
    /// `nil`: in clear.
    let security: TLSClientContext?
    /// How long a server may be silent until its answer begins. The stream itself may be silent for as long as it likes.
    private let patience = 30

    /// - Parameters:
    ///   - headers: what proves who is calling.
    ///   - end: ends it from another thread.
    ///   - tell: called with the data of each event.
    /// - Throws: `unreachable`, also where the answer is no stream; `distrusted`.
    func read(
        _ target: String, headers: [(name: String, value: String)], until end: StreamEnd, _ tell: (String) -> Void
    ) throws(Failure) {
        let descriptor = try connected()
        end.begins(with: descriptor)
        defer {
            end.forget()
            close(descriptor)
        }
        let stream = try encrypted(descriptor)
        // By HTTP/1.0 the stream comes as it is, without chunks, and ends with the connection.
        var request = "GET \(target) HTTP/1.0\r\nHost: \(endpoint.authority)\r\nAccept: text/event-stream\r\n"
        for (name, value) in headers { request += "\(name): \(value)\r\n" }
        try send(Array((request + "\r\n").utf8), descriptor, stream)
        var lines = Lines(descriptor, stream)
        guard let status = lines.next(), status.contains(" 200") else {
            let end = lines.hasTimedOut ? LibeventError.timedOut : .disconnected
            throw .unreachable(endpoint: endpoint, reason: lines.last.isEmpty ? end.words : lines.last)
        }
        limitSilence(of: descriptor, to: 0)
        while let header = lines.next(), !header.isEmpty {}
        while let line = lines.next() {
            if line.hasPrefix("data: ") { tell(String(line.dropFirst(6))) }
        }
    }

    private func encrypted(_ descriptor: Int32) throws(Failure) -> TLSClientStream? {
        guard let security else { return nil }
        do throws(TLSDistrust) {
            return try TLSClientStream(over: descriptor, to: endpoint.host, by: security)
        } catch {
            throw .distrusted(endpoint: endpoint, reason: error)
        }
    }

    private func send(_ bytes: [UInt8], _ descriptor: Int32, _ stream: TLSClientStream?) throws(Failure) {
        if let stream {
            guard stream.write(bytes) else { throw .unreachable(endpoint: endpoint, reason: LibeventError.disconnected.words) }
            return
        }
        do throws(SystemError) {
            try writeAll(bytes, to: descriptor)
        } catch {
            throw .unreachable(endpoint: endpoint, reason: error.words)
        }
    }

    private func connected() throws(Failure) -> Int32 {
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var found: UnsafeMutablePointer<addrinfo>?
        let code = getaddrinfo(endpoint.host, "\(endpoint.port)", &hints, &found)
        guard code == 0, let first = found else {
            throw .unreachable(endpoint: endpoint, reason: String(cString: gai_strerror(code)))
        }
        defer { freeaddrinfo(first) }
        var error: Int32 = 0
        var candidate: UnsafeMutablePointer<addrinfo>? = first
        while let address = candidate?.pointee {
            let descriptor = socket(address.ai_family, address.ai_socktype | Int32(SOCK_CLOEXEC.rawValue), address.ai_protocol)
            if descriptor >= 0 {
                limitSilence(of: descriptor, to: patience)
                if connect(descriptor, address.ai_addr, address.ai_addrlen) == 0 { return descriptor }
                // So says the system when the time is up.
                error = errno == EINPROGRESS ? ETIMEDOUT : errno
                close(descriptor)
            } else {
                error = errno
            }
            candidate = address.ai_next
        }
        throw .unreachable(endpoint: endpoint, reason: SystemError(code: error).words)
    }

    /// Ends what waits for the peer after some seconds; 0: never.
    private func limitSilence(of descriptor: Int32, to seconds: Int) {
        var time = timeval(tv_sec: seconds, tv_usec: 0)
        for option in [SO_RCVTIMEO, SO_SNDTIMEO] {
            setsockopt(descriptor, SOL_SOCKET, option, &time, socklen_t(MemoryLayout<timeval>.size))
        }
    }

    /// The lines of a stream, without their ends.
    private struct Lines {
        private let descriptor: Int32
        private let stream: TLSClientStream?
        private var bytes: [UInt8] = []
        private(set) var last = ""
        /// Whether the end is that nothing has come in time.
        private(set) var hasTimedOut = false

        init(_ descriptor: Int32, _ stream: TLSClientStream?) { (self.descriptor, self.stream) = (descriptor, stream) }

        /// `nil` at the end.
        mutating func next() -> String? {
            while true {
                if let end = bytes.firstIndex(of: UInt8(ascii: "\n")) {
                    var line = bytes[..<end]
                    if line.last == UInt8(ascii: "\r") { line.removeLast() }
                    last = String(decoding: line, as: UTF8.self)
                    bytes.removeSubrange(...end)
                    return last
                }
                var chunk = [UInt8](repeating: 0, count: 16_384)
                let count = stream?.read(into: &chunk) ?? Glibc.read(descriptor, &chunk, chunk.count)
                if stream == nil, count < 0, errno == EINTR { continue }
                guard count > 0 else {
                    hasTimedOut = count < 0 && errno == EAGAIN
                    return nil
                }
                bytes += chunk[..<count]
            }
        }
    }
}
