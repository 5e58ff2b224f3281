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
            switch name.count {
            case 13 where equalsIgnoringCase(name, lowercased: "authorization"):
                authorization.append(String(decoding: value, as: UTF8.self))
            case 15 where equalsIgnoringCase(name, lowercased: "accept-language"):
                let value = String(decoding: value, as: UTF8.self)
                // Several are one list (RFC 9110 §5.3).
                acceptLanguage = acceptLanguage.map { $0 + "," + value } ?? value
            case 16 where equalsIgnoringCase(name, lowercased: "content-encoding"): hasContentEncoding = true
            default: credentials.offer(name: name, value: value)
            }
        }
    }

    /// The language of error texts.
    var language: Language { Language(acceptLanguage: acceptLanguage) }
}
