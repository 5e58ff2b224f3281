internal import Push
internal import StoreCore

/// One loop's port of the embedded store. Calls are made on the loop; answers come back to it.
final class LoopPort: StorePort {
    let store: SQLiteStore
    let mailbox: any Mailbox
    let loop: Int

    init(store: SQLiteStore, mailbox: any Mailbox, loop: Int) {
        self.store = store
        self.mailbox = mailbox
        self.loop = loop
    }

    var health: Health { store.writer.status.health }
    var clock: StoreClock { store.clock }
    /// The directory is locked: nobody goes on without this process.
    var lease: Lease { .unlimited }

    func clockState() async throws(StoreError) -> ClockState {
        try await ask { decisions, _ throws(SQLiteError) in decisions.time.state }
    }

    func acceptWallClock(by call: OperatorCall) async throws(StoreError) -> ClockState {
        try await change { decisions, _ throws(SQLiteError) in try decisions.acceptWallClock(by: call) }
        // Decided after the transaction at whose beginning store time follows.
        return try await clockState()
    }

    func subscribe(_ deliver: @escaping @Sendable (FeedEvent) -> Void) async throws(StoreError) -> DirectorySnapshot {
        let loop = loop
        return try await ask(.session) { decisions, _ throws(SQLiteError) in
            decisions.outbox.subscribe(loop, deliver)
            return decisions.directory.snapshot(at: decisions.log.head, decisions.operators)
        }
    }

    // MARK: Asking the writer

    /// Has the writer decide something, and waits for its being on the disk. What changes nothing is answered whatever becomes of
    /// the transaction.
    func ask<Value: Sendable>(
        _ kind: Job.Kind = .read, confirmed: Bool = false, flushes: Bool = false, isPatienceBounded: Bool = false,
        _ body: @escaping @Sendable (Decisions, _ now: Int64) throws(SQLiteError) -> Value
    ) async throws(StoreError) -> Value {
        let outcome = await withAnswer { (continuation: AnswerContinuation<Result<Value, StoreError>>) in
            store.writer.submit(
                Job(
                    loop: loop, kind: kind, flushes: flushes, confirmed: confirmed, isPatienceBounded: isPatienceBounded,
                    decide: { decisions, now throws(SQLiteError) in
                        let value = try body(decisions, now)
                        return { continuation.resume(returning: .success(value)) }
                    },
                    fail: { error in { continuation.resume(returning: .failure(error)) } }))
        }
        return try outcome.get()
    }

    /// The same for a change, which the decision may refuse, and which is refused while the store cannot write.
    func change<Value: Sendable>(
        _ kind: Job.Kind = .change, confirmed: Bool = false, flushes: Bool = false, isPatienceBounded: Bool = false,
        _ body: @escaping @Sendable (Decisions, _ now: Int64) throws(SQLiteError) -> Result<Value, Refusal>
    ) async throws(StoreError) -> Value {
        let outcome = try await ask(
            kind, confirmed: confirmed, flushes: flushes, isPatienceBounded: isPatienceBounded, body)
        return try outcome.mapError { StoreError.refused($0) }.get()
    }

    /// Tells the writer something that nobody waits for.
    func tell(
        _ kind: Job.Kind, _ body: @escaping @Sendable (Decisions, _ now: Int64) throws(SQLiteError) -> Void
    ) {
        store.writer.submit(
            Job(
                loop: loop, kind: kind,
                decide: { decisions, now throws(SQLiteError) in
                    try body(decisions, now)
                    return nil
                }, fail: { _ in nil }))
    }

    // MARK: Asking a reader

    /// Reads from one snapshot.
    func read<Value: Sendable>(
        _ reader: Reader, _ body: @escaping @Sendable (Reader.Context) throws(SQLiteError) -> Value
    ) async throws(StoreError) -> Value {
        let mailbox = mailbox
        let lines = store.lines
        let loop = loop
        let outcome = await withAnswer { (continuation: AnswerContinuation<Result<Value, StoreError>>) in
            reader.submit { context in
                var outcome: Result<Value, StoreError> = .failure(.unavailable(retryAfter: retryAfter))
                if let context {
                    do { outcome = .success(try body(context)) } catch { lines.tell("read: \(error)") }
                }
                let answer = outcome
                if let context {
                    context.answer(loop, mailbox) { continuation.resume(returning: answer) }
                } else {
                    mailbox.execute { continuation.resume(returning: answer) }
                }
            }
        }
        return try outcome.get()
    }
}
