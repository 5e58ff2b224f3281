/// The device behind a connection.
public struct Attached: Sendable {
    /// Its holder's device, for every later call.
    public let device: DeviceHandle
    /// Everything up to here is acknowledged.
    public let settledUpTo: Position
    /// Acknowledged beyond it; never more than a window.
    public let settledBeyond: [Position]
    /// From here on the loop's feed has everything that concerns the device; what lies before may never have been told to this
    /// loop.
    public let feedFrom: Position

    /// What a session begins with.
    public init(device: DeviceHandle, settledUpTo: Position, settledBeyond: [Position], feedFrom: Position) {
        self.device = device
        self.settledUpTo = settledUpTo
        self.settledBeyond = settledBeyond
        self.feedFrom = feedFrom
    }
}

/// Why a device was not attached.
public enum AttachError: Error, Hashable, Sendable {
    case unknownDevice
    case wrongSecret
    /// A later connection of the same device reached the store while this one waited.
    case takenOver
    case unavailable
}
