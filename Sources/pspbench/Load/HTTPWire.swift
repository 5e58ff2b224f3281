internal import Base
internal import Crypto
internal import Glibc

/// Signed pushes to the push server, on connections that are kept open.
struct HTTPWire: LoadWire {
    var appkey: String
    var secret: String
    var host: String
    /// `{}` stands for the target's number.
    var token = "dev-{}"
    var tag: String?
    /// Bytes of `custom`, mark included.
    var size = 140
    private var signedAt: Int64 = 0
    private var head = ""

    init(appkey: String, secret: String, host: String) {
        (self.appkey, self.secret, self.host) = (appkey, secret, host)
    }

    func greeting(of connection: Int) -> [UInt8]? { nil }

    mutating func write(_ message: LoadMessage, to bytes: inout [UInt8]) {
        sign(message.mark.sentAt / 1_000_000)
        let target = "\"type\":\"unicast\",\"device_tokens\":\"\(SwarmPlan.fill(token, message.target))\""
        let body = Self.body(target: target, mark: message.mark, size: size, tag: tag)
        bytes.append(contentsOf: head.utf8)
        bytes.append(contentsOf: "\(body.utf8.count)\r\n\r\n\(body)".utf8)
    }

    /// The body of a push that carries a mark.
    static func body(target: String, mark: Mark, size: Int, tag: String?) -> String {
        let padding = String(repeating: "x", count: max(0, size - Mark.count))
        let tag = tag.map { ",\"tag\":\"\($0)\"" } ?? ""
        let content = "{\"title\":\"load\",\"custom\":\"\(mark.text)\(padding)\"}"
        return "{\(target),\"payload\":{\"display_type\":\"notification\",\"body\":\(content)\(tag)}}"
    }

    /// The headers of a signed request.
    static func credentials(appkey: String, secret: String, second: Int64) -> [(String, String)] {
        let digest = Digest.md5.hash(appkey.lowercased() + secret.lowercased() + "\(second)")
        return [("appkey", appkey), ("timestamp", "\(second)"), ("validation-token", Hex.encode(digest))]
    }

    private mutating func sign(_ second: Int64) {
        guard second != signedAt else { return }
        signedAt = second
        let signature = Self.credentials(appkey: appkey, secret: secret, second: second)
        head =
            "POST /psp/push/msg HTTP/1.1\r\nHost: \(host)\r\nContent-Type: application/json\r\n"
            + signature.map { "\($0.0): \($0.1)\r\n" }.joined() + "Content-Length: "
    }

    func answer(_ bytes: UnsafeRawBufferPointer, consumed: inout Int) throws(BenchError) -> LoadAnswer? {
        guard bytes.count > consumed, let base = bytes.baseAddress else { return nil }
        let start = base + consumed
        let count = bytes.count - consumed
        guard let end = Self.emptyLine(start, count) else { return nil }
        let headers = String(decoding: UnsafeRawBufferPointer(start: start, count: end), as: UTF8.self)
        let lines = headers.split(separator: "\r\n")
        guard let status = lines.first?.split(separator: " ").dropFirst().first.flatMap({ Int($0) }),
            let line = lines.first(where: { $0.lowercased().hasPrefix("content-length:") }),
            let length = Int(line.dropFirst("content-length:".count).drop { $0 == " " })
        else { throw BenchError("an answer without status or length") }
        let whole = end + 4 + length
        guard whole <= count else { return nil }
        consumed += whole
        guard (200..<300).contains(status) else {
            let body = UnsafeRawBufferPointer(start: start + end + 4, count: length)
            return .refused("HTTP \(status) \(String(decoding: body, as: UTF8.self))")
        }
        return .accepted
    }

    /// Where CR LF CR LF begins.
    private static func emptyLine(_ start: UnsafeRawPointer, _ count: Int) -> Int? {
        var offset = 0
        while offset + 4 <= count, let found = memchr(start + offset, 13, count - 3 - offset) {
            offset = UnsafeRawPointer(found) - start
            if start.loadUnaligned(fromByteOffset: offset, as: UInt32.self) == UInt32(bigEndian: 0x0d0a_0d0a) { return offset }
            offset += 1
        }
        return nil
    }
}
