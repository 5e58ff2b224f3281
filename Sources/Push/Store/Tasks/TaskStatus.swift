/// Where a task stands.
public enum TaskStatus: String, Hashable, Sendable {
    case active
    /// Nothing pending, for good.
    case completed
    case expired
    case cancelled
    case superseded
}
