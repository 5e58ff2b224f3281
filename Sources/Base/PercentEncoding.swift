/// Percent-encoding (RFC 3986 §2.1).
public enum PercentEncoding {
    /// The text that `encoded` stands for.
    /// - Parameter plusIsSpace: `+` stands for a space, as forms and most clients write it in a query.
    /// - Returns: `nil` on a broken escape, or bytes that are not UTF-8.
    public static func decode(_ encoded: Substring, plusIsSpace: Bool = false) -> String? {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(encoded.utf8.count)
        var rest = encoded.utf8.makeIterator()
        while let byte = rest.next() {
            switch byte {
            case UInt8(ascii: "%"):
                guard let high = rest.next().flatMap(Hex.value), let low = rest.next().flatMap(Hex.value) else { return nil }
                bytes.append(high << 4 | low)
            case UInt8(ascii: "+") where plusIsSpace: bytes.append(UInt8(ascii: " "))
            default: bytes.append(byte)
            }
        }
        return String(validating: bytes, as: UTF8.self)
    }
}
