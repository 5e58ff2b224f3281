/// One request to the server, without what proves who is calling.
struct Call: Equatable, Sendable {
    enum Method: String, Sendable {
        case get = "GET"
        case put = "PUT"
        case post = "POST"
        case delete = "DELETE"
    }

    let method: Method
    /// Path and query, percent-encoded.
    let target: String
    let body: [UInt8]
    /// How the command names fields, where it is not as all do: see ``Flags``.
    let flags: [String: String]

    /// - Parameters:
    ///   - path: its segments, not yet encoded.
    ///   - query: a parameter without a value is left out.
    ///   - flags: by field.
    init(
        _ method: Method, _ path: [String], query: [(name: String, value: String?)] = [], body: [UInt8] = [],
        flags: [String: String] = [:]
    ) {
        self.method = method
        let parameters = query.compactMap { name, value in value.map { "\(name)=\(Call.encoded($0))" } }
        let suffix = parameters.isEmpty ? "" : "?" + parameters.joined(separator: "&")
        target = path.map { "/" + Call.encoded($0) }.joined() + suffix
        self.body = body
        self.flags = flags
    }

    /// Percent-encodes what is not unreserved (RFC 3986 §2.3).
    static func encoded(_ text: String) -> String {
        var encoded = ""
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"),
                UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "~"):
                encoded.unicodeScalars.append(Unicode.Scalar(byte))
            default:
                let digits = String(byte, radix: 16, uppercase: true)
                encoded += digits.count == 1 ? "%0\(digits)" : "%\(digits)"
            }
        }
        return encoded
    }
}
