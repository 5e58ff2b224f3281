public import Libevent

/// What a request calls, as it was sent.
public struct Call: Sendable {
    /// The method.
    public let method: HTTPMethod
    /// Path and query.
    public let target: String

    @usableFromInline
    init(method: HTTPMethod, target: String) { (self.method, self.target) = (method, target) }
}
