/// What a loop asks of the store. All answers to calls made through it are posted to its loop, commit by commit: the feed's
/// entries first, then the answers, so that a caller never learns of a push before its own loop has it.
public protocol StorePort: TaskStore, DeliveryStore, Directory, ImportStore, OperatorStore, Timekeeping, AuditStore {
    /// Begins the feed. `deliver` is called on the loop with everything after the snapshot's position, in order, and has applied
    /// it when it returns: that is what ``TaskStore/cancel(_:by:nonce:)`` and changes of the directory wait for. Once a port; it
    /// may be called again where it has failed.
    /// - Throws: `unavailable`, soon, where the store cannot be reached.
    func subscribe(_ deliver: @escaping @Sendable (FeedEvent) -> Void) async throws(StoreError) -> DirectorySnapshot
}
