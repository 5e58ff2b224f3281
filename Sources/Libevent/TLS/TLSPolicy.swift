/// What a listener negotiates. Names are OpenSSL's; nil: what OpenSSL and the system's configuration say.
public struct TLSPolicy: Hashable, Sendable {
    /// A version of the protocol.
    public enum Version: String, Hashable, Sendable, CaseIterable {
        /// RFC 5246.
        case v1_2 = "1.2"
        /// RFC 8446.
        case v1_3 = "1.3"
    }

    /// Nothing older is spoken.
    public var minimum = Version.v1_2
    /// The cipher suites of TLS 1.2, as a list of OpenSSL's. Forward secrecy and authenticated encryption, unless set otherwise.
    public var ciphers = "ECDHE+AESGCM:ECDHE+CHACHA20"
    /// The cipher suites of TLS 1.3.
    public var suites: String?
    /// The groups of the key exchange, in the order of preference.
    public var groups: String?
    /// The signature algorithms.
    public var signatureAlgorithms: String?

    /// TLS 1.2 and 1.3, as OpenSSL has them.
    public init() {}
}

/// What is spoken inside TLS; ALPN names it (RFC 7301).
public enum TLSApplication: UInt8, Sendable {
    case http = 1
    case mqtt

    /// The registered name. A client that offers names, and not this one, is refused; one that offers none is served.
    var name: StaticString {
        switch self {
        case .http: "http/1.1"
        case .mqtt: "mqtt"
        }
    }
}
