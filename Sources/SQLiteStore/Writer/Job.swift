internal import Push

/// Posted to a loop once what it tells is committed.
typealias Answer = @Sendable () -> Void

/// Something that the writer decides. All that is handed in meanwhile is decided in one transaction, and one fsync answers it all.
struct Job: Sendable {
    /// The loop that asked, by its number in the outbox.
    let loop: Int
    /// Concerns connections only: decided when the transaction is done, whatever became of it.
    var isAboutSessions = false
    /// Tells facts that nobody waits for: decided again if the transaction failed before it came to them.
    var isFact = false
    /// Changes nothing: decided again, by what is committed, if the transaction failed.
    var isRead = false
    /// Whether counts and cursors that were told before are to be in the file when this is answered.
    var flushes = false
    /// Whether the answer waits until every loop has applied what this changed.
    var confirmed = false
    /// Decides. `nil` where nobody waits, or where the answer comes later.
    let decide: @Sendable (Ledger) throws(SQLiteError) -> Answer?
    /// The answer when the transaction failed.
    let fail: @Sendable (StoreError) -> Answer?
}

/// How long a caller should wait before it tries again (2302).
let retryAfter: Duration = .seconds(1)
