/// The target of a request, taken apart (RFC 9112 §3.2): origin form `/path?query`, or absolute form with a host before it.
struct HTTPTarget {
    let path: String
    /// Without the question mark; nil where there is none.
    let query: String?

    init(_ raw: String) {
        // Most targets are a path and nothing else: the same string.
        if Self.isPath(raw) {
            path = raw
            query = nil
            return
        }
        let bytes = raw.utf8
        let start = bytes.first == UInt8(ascii: "/") ? bytes.startIndex : Self.pathStart(raw)
        var mark: String.Index?
        var end = bytes.endIndex
        for index in bytes.indices[start...] {
            let byte = bytes[index]
            if byte == UInt8(ascii: "#") {
                end = index
                break
            }
            if byte == UInt8(ascii: "?") && mark == nil { mark = index }
        }
        path = start == bytes.startIndex && mark == nil && end == bytes.endIndex ? raw : String(raw[start..<(mark ?? end)])
        query = mark.map { String(raw[bytes.index(after: $0)..<end]) }
    }

    /// Whether there is neither host, query nor fragment.
    private static func isPath(_ raw: String) -> Bool {
        var raw = raw
        return raw.withUTF8 { bytes in
            bytes.first == UInt8(ascii: "/")
                && !bytes.contains { $0 == UInt8(ascii: "?") || $0 == UInt8(ascii: "#") }
        }
    }

    /// Where the path begins in `http://host/path`; at the beginning of anything else.
    private static func pathStart(_ raw: String) -> String.Index {
        guard let scheme = raw.firstRange(of: "://") else { return raw.startIndex }
        return raw.utf8[scheme.upperBound...].firstIndex { $0 == UInt8(ascii: "/") || $0 == UInt8(ascii: "?") } ?? raw.endIndex
    }
}
