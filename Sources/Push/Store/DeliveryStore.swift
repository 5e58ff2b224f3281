/// The gateway's half of the store. Each loop has its own, so that answers come back to the loop that asked. Nothing here waits
/// for another device.
public protocol DeliveryStore: Sendable {
    /// Checks the secret, or whether the certificate is the one that the device's record names, and takes the device over from
    /// any other session of any node, when that one has settled. The last to reach the store wins; one that still waits is
    /// refused as taken over.
    /// - Throws: `refused` with 2201 (unknown token) or 2005 (wrong secret), `takenOver`, `unavailable`.
    /// - Parameter certificate: what the device has shown, and proved to have the key of; `nil` for none.
    func attach(
        _ token: DeviceToken, secret: [UInt8], certificate: CertificateFingerprint?, session: SessionID
    ) async throws(AttachError) -> Attached

    /// The session ended. `settledUpTo`: everything that concerns the device up to there is settled. Synchronous, and in order
    /// with ``settle(_:)``: what was acknowledged last is told before.
    func detach(_ device: DeviceHandle, session: SessionID, settledUpTo: Position)

    /// Once a turn: what was acknowledged. Facts, in any order and any number of times; the store alone counts.
    /// - Returns: whether more may be told. While it is false, as long as a store cannot write and has as much to remember as it
    ///   can, a PUBACK is as if it had not come: its message stays unacknowledged, and comes again. What is told is taken in any
    ///   case; telling nothing asks.
    @discardableResult
    func settle(_ deliveries: [Delivery]) -> Bool

    /// Answers an inquiry about a session. Synchronous; nobody may wait for it any more. The end of a session answers, too.
    func tell(_ unacknowledged: Unacknowledged, of session: SessionID)

    /// What the device has still to get after `after`, oldest first. `lookedUpTo` may be less than the end: ask again.
    func pending(for device: DeviceHandle, after: Position, limit: Int) async throws(StoreError) -> Pending

    /// A device's own receipts, in order; returns when they are committed.
    func commit(_ receipts: [Receipt]) async throws(StoreError) -> [ReceiptResult]
}

extension DeliveryStore {
    /// The same for a device that has shown no certificate.
    public func attach(_ token: DeviceToken, secret: [UInt8], session: SessionID) async throws(AttachError) -> Attached {
        try await attach(token, secret: secret, certificate: nil, session: session)
    }
}
