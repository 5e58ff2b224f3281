/// What a loop learns from the store, in the lane's order: the only way by which a message reaches a loop.
public enum FeedEvent: Sendable {
    /// Everything in `(after, upTo]` that concerns a loop. Contiguous with what came before.
    case entries(Lane, upTo: Position, [Entry])
    /// Something was left out (the loop fell too far behind, the store failed over, or a new term of the ``Lease`` begins): every
    /// session of the lane catches up, and the directory is as given.
    case gap(Lane, now: Position, DirectorySnapshot)
}
