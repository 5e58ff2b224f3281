internal import Glibc

/// The first line of a request (RFC 9112 §3): method, target and version, one blank between them.
///
/// It is looked at before evhttp sees it, which would take more than there may be, answer what it cannot read with a page of its
/// own, and repeat the version, whatever it is, in its answer. So what evhttp would take otherwise than it is meant is written
/// anew where it stands: a later version of HTTP/1 becomes HTTP/1.1, a target in absolute form becomes its path.
struct HTTPRequestLine {
    /// What is wrong with it.
    private(set) var fault = HTTPFraming.ok
    /// HTTP/1.1, or a later 1.x, which is read as that (RFC 9110 §2.5). Before the line has come: yes.
    private(set) var isHTTP11 = true

    /// evhttp refuses shorter ones.
    private static let shortest = "GET / HTTP/1.0".utf8.count

    /// No line yet.
    init() {}

    init(_ line: UnsafeMutableRawBufferPointer) {
        guard let words = Self.words(of: UnsafeRawBufferPointer(line)), HTTPSyntax.isToken(words.method),
            HTTPSyntax.isTarget(words.target)
        else {
            fault = .malformedRequestLine
            return
        }
        fault = readVersion(words.version, in: line)
        guard fault == .ok else { return }
        var length = line.count
        switch Self.form(of: words.target, method: words.method) {
        case .path: break
        case .absolute(let host):
            let target = words.method.count + 1
            length -= Self.cut(host, from: UnsafeMutableRawBufferPointer(rebasing: line[target...]), target: words.target.count)
        case .other: fault = .malformedRequestLine
        }
        if length < Self.shortest { fault = .malformedRequestLine }
    }

    /// It does not end as it should, or is none.
    mutating func reject(as fault: HTTPFraming = .malformedRequestLine) { self.fault = fault }

    private static func words(
        of line: UnsafeRawBufferPointer
    ) -> (method: UnsafeRawBufferPointer, target: UnsafeRawBufferPointer, version: UnsafeRawBufferPointer)? {
        guard let first = blank(in: line, from: 0), let second = blank(in: line, from: first + 1) else { return nil }
        return (
            UnsafeRawBufferPointer(rebasing: line[..<first]), UnsafeRawBufferPointer(rebasing: line[(first + 1)..<second]),
            UnsafeRawBufferPointer(rebasing: line[(second + 1)...])
        )
    }

    private static func blank(in line: UnsafeRawBufferPointer, from start: Int) -> Int? {
        guard let base = line.baseAddress,
            let found = memchr(base + start, Int32(HTTPSyntax.blank), line.count - start)
        else { return nil }
        return UnsafeRawPointer(found) - base
    }

    // MARK: The version

    // As bytes: to walk along a string costs more than all else here.
    private static let name: StaticString = "HTTP/"

    /// `HTTP/`, a digit, a point and a digit; nothing else (RFC 9112 §2.3).
    private mutating func readVersion(_ version: UnsafeRawBufferPointer, in line: UnsafeMutableRawBufferPointer) -> HTTPFraming {
        let digits = UInt8(ascii: "0")...UInt8(ascii: "9")
        guard version.count == 8, version.baseAddress.map({ memcmp($0, Self.name.utf8Start, 5) }) == 0,
            version[6] == UInt8(ascii: "."),
            digits.contains(version[5]), digits.contains(version[7])
        else { return .malformedRequestLine }
        guard version[5] == UInt8(ascii: "1") else { return .unsupportedVersion }
        isHTTP11 = version[7] != UInt8(ascii: "0")
        if isHTTP11 { line[line.count - 1] = UInt8(ascii: "1") }
        return .ok
    }

    // MARK: The target

    private enum Form {
        case path
        /// So many bytes are scheme and host.
        case absolute(host: Int)
        /// None that this server has an answer to, or that evhttp would read alike.
        case other
    }

    private static func form(of target: UnsafeRawBufferPointer, method: UnsafeRawBufferPointer) -> Form {
        if method.count == 7 && method.elementsEqual("CONNECT".utf8) { return .other }
        if target[0] == UInt8(ascii: "/") {
            // evhttp would read a host behind two slashes.
            return target.count > 1 && target[1] == UInt8(ascii: "/") ? .other : .path
        }
        if target.elementsEqual("*".utf8) { return method.elementsEqual("OPTIONS".utf8) ? .path : .other }
        for scheme in ["http://", "https://"] as [StaticString] {
            let length = scheme.utf8CodeUnitCount
            guard target.count > length,
                equalsIgnoringCase(UnsafeRawBufferPointer(rebasing: target[..<length]), lowercased: scheme)
            else { continue }
            let end = target[length...].firstIndex { $0 == UInt8(ascii: "/") || $0 == UInt8(ascii: "?") } ?? target.count
            let host = UnsafeRawBufferPointer(rebasing: target[length..<end])
            let isSecondSlash = end + 1 < target.count && target[end] == UInt8(ascii: "/") && target[end + 1] == UInt8(ascii: "/")
            return host.isEmpty || !HTTPSyntax.isHost(host) || isSecondSlash ? .other : .absolute(host: end)
        }
        return .other
    }

    /// Cuts the host off a target, so that its path is left; blanks at the end of the line, which evhttp removes, take its place.
    /// - Parameters:
    ///   - line: from the target on.
    ///   - target: its length.
    /// - Returns: how many blanks these are.
    private static func cut(_ host: Int, from line: UnsafeMutableRawBufferPointer, target: Int) -> Int {
        var begin = 0
        if host == target || line[host] == UInt8(ascii: "?") {
            // Without a path it is the root (RFC 9112 §3.2.1).
            line[0] = UInt8(ascii: "/")
            begin = 1
        }
        let rest = line.count - host
        if let base = line.baseAddress { memmove(base + begin, base + host, rest) }
        for index in (begin + rest)..<line.count { line[index] = HTTPSyntax.blank }
        return line.count - begin - rest
    }
}
