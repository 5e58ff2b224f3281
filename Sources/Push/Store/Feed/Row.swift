/// A message or configuration on its way to devices. Immutable and shared: a class, so that offering it to ten thousand sessions
/// copies one reference.
public final class Row: Sendable {
    /// The push that it is, or refers to.
    public let task: TaskID
    /// Its place in the lane's order; of a reference, the reference's.
    public let position: Position
    /// Whom it addresses.
    public let target: RowTarget
    /// Which of the target's devices it is for.
    public let audience: Audience
    /// In store time, by the milliseconds; `nil` never expires.
    public let expires: Int64?
    /// Where devices get it.
    public let topic: Topic
    /// The device's JSON, the same bytes for every device.
    public let payload: [UInt8]

    /// A row as devices get it.
    public init(
        task: TaskID, position: Position, target: RowTarget, audience: Audience, expires: Int64?, topic: Topic, payload: [UInt8]
    ) {
        self.task = task
        self.position = position
        self.target = target
        self.audience = audience
        self.expires = expires
        self.topic = topic
        self.payload = payload
    }
}

/// Whom a row addresses.
public enum RowTarget: Hashable, Sendable {
    case device(DeviceHandle)
    case user(UserHandle)
    case organisation(OrgHandle)
}

/// The two topics to devices.
public enum Topic: UInt8, Hashable, Sendable {
    /// `psp/push/msg`
    case message
    /// `psp/push/config`
    case configuration
}
