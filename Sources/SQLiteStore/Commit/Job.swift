internal import Push
internal import StoreCore

/// Something that the writer decides. What is handed in meanwhile is decided in one transaction, which one
/// fsync answers.
struct Job: Sendable {
    /// What becomes of a job whose transaction failed.
    enum Kind {
        /// A change: it fails together with its transaction, and is refused while the store cannot write.
        case change
        /// A change of organisations or devices: the same, and it waits while one before it has still something to do, and is
        /// answered when it has nothing left to do itself.
        case directory
        /// Changes nothing: decided again, by what is committed.
        case read
        /// Tells facts that nobody waits for: decided again, if the transaction had not come to it.
        case fact
        /// Concerns connections only: decided when the transaction is done, whatever became of it.
        case session

        /// Whether it is refused while the store cannot write.
        var isChange: Bool { self == .change || self == .directory }
    }

    /// The loop that asked, by its number in the outbox.
    let loop: Int
    var kind = Kind.change
    /// Whether counts and cursors that were told before are to be in the file when this is answered.
    var flushes = false
    /// Whether the answer waits until every loop has applied what this changed.
    var confirmed = false
    /// Whether it belongs to an import, which gives way to all others.
    var isImport = false
    /// Whether it is refused rather than decided when it has waited too long: a caller waits for it who may send it again.
    var isPatienceBounded = false
    /// When it was handed in, in monotonic nanoseconds, if its patience is bounded.
    var came: Int64 = 0
    /// Decides, at a store time. `nil` where nobody waits, or where the answer comes later.
    let decide: @Sendable (Decisions, _ now: Int64) throws(SQLiteError) -> Answer?
    /// The answer when it was not done.
    let fail: @Sendable (StoreError) -> Answer?

    /// Whether it is decided in a transaction, whatever comes with it: what it changes, or what it flushes, is on the disk when
    /// it is answered.
    var needsTransaction: Bool { flushes || (kind != .fact && kind != .session) }
}
