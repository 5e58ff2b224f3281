/// What a route takes as the body of a request. Its limit is judged as soon as the head of the request is there.
public enum BodyRule: Hashable, Sendable {
    /// None; one that is sent is refused.
    case none
    /// At most so many bytes, which the handler gets in one piece.
    case whole(upTo: Int)
    /// At most so many bytes, which the handler takes piece by piece.
    case pieces(upTo: Int)

    /// In bytes. Where no body is taken it decides what the refusal says: too large, or not expected.
    public var limit: Int {
        switch self {
        case .none: 64 << 10
        case .whole(let limit), .pieces(let limit): limit
        }
    }
}
