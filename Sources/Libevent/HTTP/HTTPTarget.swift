/// The target of a request, taken apart: `/path?query` (RFC 9112 §3.2.1). `HTTPRequestLine` has removed a host before it.
struct HTTPTarget {
    let path: String
    /// Without the question mark; nil where there is none.
    let query: String?

    init(_ raw: String) {
        guard let mark = Self.mark(in: raw) else {
            // Most targets are a path and nothing else: the same string.
            path = raw
            query = nil
            return
        }
        path = String(raw[..<mark])
        query = String(raw[raw.utf8.index(after: mark)...])
    }

    /// Where the query begins.
    private static func mark(in raw: String) -> String.Index? {
        var raw = raw
        let offset = raw.withUTF8 { bytes in bytes.firstIndex(of: UInt8(ascii: "?")) }
        return offset.map { raw.utf8.index(raw.startIndex, offsetBy: $0) }
    }
}
