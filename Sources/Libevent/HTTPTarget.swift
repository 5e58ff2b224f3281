/// The target of a request, taken apart (RFC 9112 §3.2): origin form `/path?query`, or absolute form with a host before it.
struct HTTPTarget {
    let path: Substring
    /// Without the question mark; nil where there is none.
    let query: Substring?

    init(_ raw: String) {
        var rest = raw[...]
        if !rest.hasPrefix("/"), let scheme = rest.firstRange(of: "://") {
            let host = rest[scheme.upperBound...]
            rest = host.firstIndex { $0 == "/" || $0 == "?" }.map { host[$0...] } ?? ""
        }
        rest = rest.prefix { $0 != "#" }
        if let mark = rest.firstIndex(of: "?") {
            path = rest[..<mark]
            query = rest[rest.index(after: mark)...]
        } else {
            path = rest
            query = nil
        }
    }

    /// The path with `%XX` decoded; as it is if that is malformed, is not UTF-8, or hides a NUL.
    var decodedPath: String {
        guard path.utf8.contains(UInt8(ascii: "%")) else { return String(path) }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(path.utf8.count)
        var digits = path.utf8.makeIterator()
        while let byte = digits.next() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            guard let high = digits.next().flatMap(hexDigit), let low = digits.next().flatMap(hexDigit), high | low != 0 else {
                return String(path)
            }
            bytes.append(high << 4 | low)
        }
        return String(validating: bytes, as: UTF8.self) ?? String(path)
    }
}

private func hexDigit(_ byte: UInt8) -> UInt8? {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
    case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
    default: nil
    }
}
