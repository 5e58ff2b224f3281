/// An acknowledgement. Trivial to copy: no reference counting on its way.
public struct Delivery: Hashable, Sendable {
    /// How it was settled.
    public enum Kind: Hashable, Sendable {
        /// The device's PUBACK arrived.
        case delivered
        /// Larger than the device's Maximum Packet Size: not sent, counted `skipped_oversize`.
        case skipped
        /// The device's PUBACK arrived with a reason code of 0x80 or above: it does not take the message, which is counted
        /// `rejected` and does not come again.
        case rejected(reasonCode: UInt8)
    }

    /// Whose it is.
    public let device: DeviceHandle
    /// Of the row that is settled.
    public let position: Position
    /// Everything of this device up to here is settled; the cursor may move there.
    public let settledUpTo: Position
    /// How it was settled.
    public let kind: Kind

    /// A fact; telling it twice counts once.
    public init(device: DeviceHandle, position: Position, settledUpTo: Position, kind: Kind) {
        self.device = device
        self.position = position
        self.settledUpTo = settledUpTo
        self.kind = kind
    }
}
