public import Base
internal import Crypto

/// That an operator has logged in: whoever shows the session's token is taken for that operator, until it ends.
public struct OperatorSession: Hashable, Sendable {
    /// Of its token only this is kept, and shown to nobody.
    public let key: OperatorSessionKey
    /// Who has logged in.
    public let holder: OperatorNumber
    /// When, in Unix milliseconds.
    public let createdAt: Int64
    /// In store time.
    public let expires: Int64
    /// From where, if that is known.
    public let client: IPAddress?

    /// A session.
    public init(key: OperatorSessionKey, holder: OperatorNumber, createdAt: Int64, expires: Int64, client: IPAddress?) {
        self.key = key
        self.holder = holder
        self.createdAt = createdAt
        self.expires = expires
        self.client = client
    }

    /// By what operators name it.
    public var id: OperatorSessionID { OperatorSessionID(Hex.encode(Array(key.digest.prefix(8)))) }
}

/// The SHA-256 of a session's token: nobody who reads the store can log in by it. The token is random, so that a fast hash does.
public struct OperatorSessionKey: Hashable, Sendable {
    /// 32 bytes.
    public let digest: [UInt8]

    /// As it is stored.
    public init(digest: [UInt8]) { self.digest = digest }

    /// That of a token.
    public init(token: String) { digest = Digest.sha256.hash(token) }
}

/// By what operators name a session. Opaque.
public struct OperatorSessionID: Hashable, Sendable, CustomStringConvertible {
    /// As operators see it.
    public let text: String
    /// Any text: the store decides whether there is such a session.
    public init(_ text: String) { self.text = text }
    /// As operators see it.
    public var description: String { text }
}
