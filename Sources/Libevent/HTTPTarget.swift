internal import Base

/// The target of a request, taken apart (RFC 9112 §3.2): origin form `/path?query`, or absolute form with a host before it.
struct HTTPTarget {
    let path: String
    /// Without the question mark; nil where there is none.
    let query: String?
    private let isEncoded: Bool

    init(_ raw: String) {
        // Most targets are a path and nothing else: the same string.
        if Self.isPath(raw) {
            path = raw
            query = nil
            isEncoded = false
            return
        }
        let bytes = raw.utf8
        let start = bytes.first == UInt8(ascii: "/") ? bytes.startIndex : Self.pathStart(raw)
        var mark: String.Index?
        var end = bytes.endIndex
        var isEncoded = false
        for index in bytes.indices[start...] {
            let byte = bytes[index]
            if byte == UInt8(ascii: "#") {
                end = index
                break
            }
            if byte == UInt8(ascii: "?") && mark == nil { mark = index }
            if byte == UInt8(ascii: "%") && mark == nil { isEncoded = true }
        }
        self.isEncoded = isEncoded
        path = start == bytes.startIndex && mark == nil && end == bytes.endIndex ? raw : String(raw[start..<(mark ?? end)])
        query = mark.map { String(raw[bytes.index(after: $0)..<end]) }
    }

    /// Whether there is neither host, query, fragment nor percent-encoding.
    private static func isPath(_ raw: String) -> Bool {
        var raw = raw
        return raw.withUTF8 { bytes in
            bytes.first == UInt8(ascii: "/")
                && !bytes.contains { $0 == UInt8(ascii: "?") || $0 == UInt8(ascii: "#") || $0 == UInt8(ascii: "%") }
        }
    }

    /// Where the path begins in `http://host/path`; at the beginning of anything else.
    private static func pathStart(_ raw: String) -> String.Index {
        guard let scheme = raw.firstRange(of: "://") else { return raw.startIndex }
        return raw.utf8[scheme.upperBound...].firstIndex { $0 == UInt8(ascii: "/") || $0 == UInt8(ascii: "?") } ?? raw.endIndex
    }

    /// The path with `%XX` decoded; as it is if that is malformed, is not UTF-8, or hides a NUL.
    var decodedPath: String {
        guard isEncoded else { return path }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(path.utf8.count)
        var digits = path.utf8.makeIterator()
        while let byte = digits.next() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            guard let high = digits.next().flatMap(Hex.value), let low = digits.next().flatMap(Hex.value), high | low != 0 else {
                return path
            }
            bytes.append(high << 4 | low)
        }
        return String(validating: bytes, as: UTF8.self) ?? path
    }
}
