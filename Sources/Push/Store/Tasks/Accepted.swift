/// The answer to a push.
public enum Accepted: Sendable, Equatable {
    /// Durable as the store promises.
    case stored(TaskID)
    /// The first answer to this `out_biz_no`.
    case repeated(TaskID)
    /// Certainly not stored.
    case refused(Refusal)
    /// Certainly not stored: 2302.
    case unavailable(retryAfter: Duration)
    /// 2901; a repeat with the same `out_biz_no` is safe.
    case unknown

    /// What a push is answered with that could not be decided, or whose transaction failed.
    public init(_ error: StoreError) {
        switch error {
        case .refused(let refusal): self = .refused(refusal)
        case .unavailable(let retryAfter): self = .unavailable(retryAfter: retryAfter)
        case .unknown: self = .unknown
        }
    }

    /// The task that it made, or that its `out_biz_no` had made before.
    /// - Throws: why there is none.
    public var task: TaskID {
        get throws(StoreError) {
            switch self {
            case .stored(let task), .repeated(let task): return task
            case .refused(let refusal): throw .refused(refusal)
            case .unavailable(let retryAfter): throw .unavailable(retryAfter: retryAfter)
            case .unknown: throw .unknown
            }
        }
    }
}
