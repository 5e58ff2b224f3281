/// The gateway's half of the store. Each loop has its own, so that answers come back to the loop that asked. Nothing here waits
/// for another device.
public protocol DeliveryStore: Sendable {
    /// Checks the secret and takes the device over from any other session of any node, when that one has settled. The last to
    /// reach the store wins; one that still waits is refused as taken over.
    /// - Throws: `refused` with 2201 (unknown token) or 2005 (wrong secret), `takenOver`, `unavailable`.
    func attach(_ token: DeviceToken, secret: [UInt8], session: SessionID) async throws(AttachError) -> Attached

    /// The session ended, and this is the last that was acknowledged on it. `settledUpTo`: everything that concerns the device up
    /// to there is settled. Synchronous, and in order with ``settle(_:)``.
    func detach(_ device: DeviceHandle, session: SessionID, settledUpTo: Position, settling: [Delivery])

    /// Once a turn: what was acknowledged. Facts, in any order and any number of times; the store alone counts.
    func settle(_ deliveries: [Delivery])

    /// What the device has still to get after `after`, oldest first. `lookedUpTo` may be less than the end: ask again.
    func pending(for device: DeviceHandle, after: Position, limit: Int) async throws(StoreError) -> Pending

    /// A device's own receipts, in order; returns when they are committed.
    func commit(_ receipts: [Receipt]) async throws(StoreError) -> [ReceiptResult]
}

/// Why a device was not attached.
public enum AttachError: Error, Hashable, Sendable {
    case unknownDevice
    case wrongSecret
    /// A later connection of the same device reached the store while this one waited.
    case takenOver
    case unavailable
}

/// The device behind a connection.
public struct Attached: Sendable {
    /// Its holder's device, for every later call.
    public let device: DeviceHandle
    /// Everything up to here is acknowledged.
    public let settledUpTo: Position
    /// Acknowledged beyond it; never more than a window.
    public let settledBeyond: [Position]
    /// From here on the loop's feed has everything that concerns the device; what lies before may never have been told to this loop.
    public let feedFrom: Position

    /// What a session begins with.
    public init(device: DeviceHandle, settledUpTo: Position, settledBeyond: [Position], feedFrom: Position) {
        self.device = device
        self.settledUpTo = settledUpTo
        self.settledBeyond = settledBeyond
        self.feedFrom = feedFrom
    }
}

/// A page of the log for one device.
public struct Pending: Sendable {
    /// Those that concern it, are neither expired nor ended, oldest first. What is settled beyond the cursor may be among them.
    public let rows: [Row]
    /// The store has looked at everything up to here.
    public let lookedUpTo: Position
    /// As of `lookedUpTo`, or of any later position that `membershipAt` names.
    public let membership: Membership
    /// Membership entries of the feed up to here are already in `membership`.
    public let membershipAt: Position

    /// A page that ends at `lookedUpTo`.
    public init(rows: [Row], lookedUpTo: Position, membership: Membership, membershipAt: Position) {
        self.rows = rows
        self.lookedUpTo = lookedUpTo
        self.membership = membership
        self.membershipAt = membershipAt
    }
}

/// An acknowledgement. Trivial to copy: no reference counting on its way.
public struct Delivery: Hashable, Sendable {
    /// How it was settled.
    public enum Kind: UInt8, Sendable {
        /// The device's PUBACK arrived.
        case delivered
        /// Larger than the device's Maximum Packet Size: not sent, counted `skipped_oversize`.
        case skipped
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
