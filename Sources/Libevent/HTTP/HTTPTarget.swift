/// The target of a request, taken apart: `/path?query` (RFC 9112 §3.2.1). `HTTPRequestLine` has removed a host before it.
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
        var mark: String.Index?
        var end = bytes.endIndex
        for index in bytes.indices {
            let byte = bytes[index]
            if byte == UInt8(ascii: "#") {
                end = index
                break
            }
            if byte == UInt8(ascii: "?") && mark == nil { mark = index }
        }
        path = String(raw[..<(mark ?? end)])
        query = mark.map { String(raw[bytes.index(after: $0)..<end]) }
    }

    /// Whether there is neither query nor fragment.
    private static func isPath(_ raw: String) -> Bool {
        var raw = raw
        return raw.withUTF8 { bytes in !bytes.contains { $0 == UInt8(ascii: "?") || $0 == UInt8(ascii: "#") } }
    }
}
