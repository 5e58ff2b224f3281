/// What a device itself tells of a task.
public struct Receipt: Hashable, Sendable {
    /// Who tells it.
    public let device: DeviceHandle
    /// Of which task.
    public let task: TaskID
    /// What happened.
    public let event: ReceiptEvent
    /// At most 256 bytes.
    public let detail: String?

    /// A receipt as the device sent it.
    public init(device: DeviceHandle, task: TaskID, event: ReceiptEvent, detail: String?) {
        self.device = device
        self.task = task
        self.event = event
        self.detail = detail
    }
}

/// The events that a device may tell.
public enum ReceiptEvent: String, Hashable, Sendable, CaseIterable {
    case opened
    case applied
    case failed
}

/// What became of a device's receipt.
public enum ReceiptResult: Hashable, Sendable {
    case counted
    /// Told before: counted once.
    case known
    /// No such task, or one that did not address the device.
    case refused
}
