internal import Libevent
internal import Push

/// The headers that anything here looks at, collected in one pass.
struct RequestHeaders: Sendable {
    private(set) var credentials = CredentialHeaders()
    /// Every `Authorization` that was sent.
    private(set) var authorization: [String] = []
    private(set) var hasContentEncoding = false
    private var acceptLanguage: String?

    init(_ exchange: HTTPExchange) {
        exchange.forEachHeader { name, value in
            switch name.utf8.count {
            case 13 where Self.isName("authorization", name): authorization.append(value)
            case 15 where Self.isName("accept-language", name):
                // Several are one list (RFC 9110 §5.3).
                acceptLanguage = acceptLanguage.map { $0 + "," + value } ?? value
            case 16 where Self.isName("content-encoding", name): hasContentEncoding = true
            default: credentials.offer(name: name, value: value)
            }
        }
    }

    /// The language of error texts.
    var language: Language { Language(acceptLanguage: acceptLanguage) }

    /// - Parameter expected: in lower case.
    private static func isName(_ expected: StaticString, _ name: String) -> Bool {
        zip(UnsafeBufferPointer(start: expected.utf8Start, count: expected.utf8CodeUnitCount), name.utf8).allSatisfy {
            want, byte in
            want == byte || want == byte | 0x20 && (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte)
        }
    }
}
