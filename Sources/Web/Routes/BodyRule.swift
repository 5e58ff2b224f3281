/// What body a route takes.
public enum BodyRule: Hashable, Sendable {
    /// None; one that is sent is refused.
    case none
    /// As much as the listener takes (`HTTPLimits.maxBodyBytes`), which the handler gets in one piece.
    case whole
    /// At most so many bytes, which the handler takes piece by piece.
    case pieces(upTo: Int)

    /// How many bytes may come. Where no body is taken it decides what the refusal says: too large, or not expected.
    /// - Parameter whole: what the listener takes in one piece.
    @usableFromInline
    func limit(whole: Int) -> Int {
        switch self {
        case .none: 64 << 10
        case .whole: whole
        case .pieces(let limit): limit
        }
    }
}
