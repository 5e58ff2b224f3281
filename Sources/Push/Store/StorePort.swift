/// What a loop asks of the store. All answers to calls made through it are posted to its loop.
///
/// What is answered when every loop has applied it (a cancel, a change of the directory or of operators) is in the feed before
/// the answer, on all nodes. A push is so on its own loop where the store has one node: commit by commit, entries first. Where
/// nodes share it the push's row may come a little after the answer.
public protocol StorePort: TaskStore, DeliveryStore, Directory, ImportStore, OperatorStore, Timekeeping, AuditStore {
    /// Begins the feed. `deliver` is called on the loop with everything after the snapshot's position, in order, and has applied
    /// it when it returns: that is what ``TaskStore/cancel(_:by:nonce:)`` and changes of the directory wait for. Once a port; it
    /// may be called again where it has failed.
    /// - Throws: `unavailable`, soon, where the store cannot be reached.
    func subscribe(_ deliver: @escaping @Sendable (FeedEvent) -> Void) async throws(StoreError) -> DirectorySnapshot
}
