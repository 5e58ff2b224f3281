/// One device of a task.
public struct Recipient: Hashable, Sendable {
    /// Its token.
    public let device: DeviceToken
    /// What the device told with an event, or the reason code by which it rejected the task ("0x97").
    public let detail: String?
    /// Whether the token has another holder by now, or none: its new holder's device is another one in every list.
    public let isFormer: Bool
    /// A device with what it told.
    public init(device: DeviceToken, detail: String?, isFormer: Bool = false) {
        self.device = device
        self.detail = detail
        self.isFormer = isFormer
    }
}

/// The lists of a task's devices.
public enum RecipientState: String, Hashable, Sendable, CaseIterable {
    case delivered
    case pending
    case expired
    case superseded
    case cancelled
    case withdrawn
    case skippedOversize = "skipped_oversize"
    case rejected
    case opened
    case applied
    case failed
}
