public import Base

/// A task with its counts.
public struct TaskReport: Sendable {
    /// Its number.
    public let task: TaskID
    /// Whose it is.
    public let app: AppKey
    /// By which interface it came.
    public let interface: Interface
    /// Whom it addresses, as the caller named it.
    public let target: PushRequest.Target
    /// The caller's payload object without insignificant white space.
    public let payload: [UInt8]
    /// Whether it was for test devices only.
    public let testOnly: Bool
    /// The caller's words on it.
    public let description: String?
    /// What the caller groups it by.
    public let tag: ExactText?
    /// Unix milliseconds.
    public let createdAt: Int64
    /// Unix milliseconds; `nil` never.
    public let expireAt: Int64?
    /// Where it stands.
    public let status: TaskStatus
    /// What became of its devices.
    public let counts: Counts
    /// From where it was pushed, for operators; `nil` for callers, and of a task that an earlier version has taken.
    public let origin: PushRequest.Origin?

    /// A task as of one moment.
    public init(
        task: TaskID, app: AppKey, interface: Interface, target: PushRequest.Target, payload: [UInt8], testOnly: Bool,
        description: String?, tag: ExactText?, createdAt: Int64, expireAt: Int64?, status: TaskStatus, counts: Counts,
        origin: PushRequest.Origin? = nil
    ) {
        self.task = task
        self.app = app
        self.interface = interface
        self.target = target
        self.payload = payload
        self.testOnly = testOnly
        self.description = description
        self.tag = tag
        self.createdAt = createdAt
        self.expireAt = expireAt
        self.status = status
        self.counts = counts
        self.origin = origin
    }
}
