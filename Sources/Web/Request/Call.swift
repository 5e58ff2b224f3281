public import Base
public import Libevent

/// What a request calls, as it was sent, and from where.
public struct Call: Sendable {
    /// The method.
    public let method: HTTPMethod
    /// Path and query.
    public let target: String
    /// The client's address; `nil` when it had gone before it was known.
    public let client: IPAddress?

    @usableFromInline
    init(method: HTTPMethod, target: String, client: IPAddress?) {
        (self.method, self.target, self.client) = (method, target, client)
    }
}
