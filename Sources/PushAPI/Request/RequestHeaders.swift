internal import Libevent
internal import Push
public import Web

/// The headers that the REST interfaces look at.
public struct RequestHeaders: HeaderFields, Sendable {
    private(set) var credentials = CredentialHeaders()
    /// Every `Authorization` that was sent.
    private(set) var authorization: [String] = []
    private(set) var hasContentEncoding = false
    private var acceptLanguage: String?
    /// The first `X-Request-Id` that may be one.
    public private(set) var requestID: String?

    /// No header yet.
    public init() {}

    /// Takes the header if it is one of ours.
    public mutating func collect(name: UnsafeRawBufferPointer, value: UnsafeRawBufferPointer) {
        switch name.count {
        case 12 where equalsIgnoringCase(name, lowercased: "x-request-id"):
            if requestID == nil { requestID = RequestID.accepted(value) }
        case 13 where equalsIgnoringCase(name, lowercased: "authorization"):
            authorization.append(String(decoding: value, as: UTF8.self))
            credentials.offer(name: name, value: value)
        case 15 where equalsIgnoringCase(name, lowercased: "accept-language"):
            let value = String(decoding: value, as: UTF8.self)
            // Several are one list (RFC 9110 §5.3).
            acceptLanguage = acceptLanguage.map { $0 + "," + value } ?? value
        case 16 where equalsIgnoringCase(name, lowercased: "content-encoding"): hasContentEncoding = true
        default: credentials.offer(name: name, value: value)
        }
    }

    /// The key of the app that calls, as it says; `nil` where it does not say so, as operators do not.
    var claimedApp: String? { credentials.claimedKey }

    /// The language of error texts.
    var language: Language { Language(acceptLanguage: acceptLanguage) }
}
