internal import Push

/// One loop's door to the embedded store. Calls are made on the loop; answers come back to it.
final class LoopPort: StorePort {
    let store: SQLiteStore
    let mailbox: any Mailbox
    let loop: Int

    init(store: SQLiteStore, mailbox: any Mailbox, loop: Int) {
        self.store = store
        self.mailbox = mailbox
        self.loop = loop
    }

    var health: Health { store.writer.health }

    func subscribe(_ deliver: @escaping @Sendable (FeedEvent) -> Void) async throws(StoreError) -> DirectorySnapshot {
        let loop = loop
        return try await decide(isAboutSessions: true) { ledger throws(SQLiteError) in
            ledger.outbox.subscribe(loop, deliver)
            return ledger.snapshot()
        }
    }

    // MARK: Asking the writer

    /// Has the writer decide something, and waits for its being on the disk. What changes nothing is answered whatever becomes of the
    /// transaction.
    func decide<Value: Sendable>(
        isRead: Bool = true, confirmed: Bool = false, flushes: Bool = false, isAboutSessions: Bool = false,
        _ body: @escaping @Sendable (Ledger) throws(SQLiteError) -> Value
    ) async throws(StoreError) -> Value {
        let outcome = await withAnswer { (continuation: AnswerContinuation<Result<Value, StoreError>>) in
            store.writer.submit(
                Job(
                    loop: loop, isAboutSessions: isAboutSessions, isRead: isRead, flushes: flushes, confirmed: confirmed,
                    decide: { ledger throws(SQLiteError) in
                        let value = try body(ledger)
                        return { continuation.resume(returning: .success(value)) }
                    },
                    fail: { error in { continuation.resume(returning: .failure(error)) } }))
        }
        return try outcome.get()
    }

    /// The same for a change: refused while the store cannot write.
    func change<Value: Sendable>(
        confirmed: Bool = false, flushes: Bool = false,
        _ body: @escaping @Sendable (Ledger) throws(SQLiteError) -> Result<Value, StoreError>
    ) async throws(StoreError) -> Value {
        let outcome: Result<Value, StoreError> = try await decide(
            isRead: false, confirmed: confirmed, flushes: flushes
        ) { ledger throws(SQLiteError) in
            if ledger.failure != nil { return .failure(.unavailable(retryAfter: retryAfter)) }
            return try body(ledger)
        }
        return try outcome.get()
    }

    // MARK: Asking a reader

    /// Reads from one snapshot.
    func read<Value: Sendable>(
        _ reader: Reader, _ body: @escaping @Sendable (Reader.Context) throws(SQLiteError) -> Value
    ) async throws(StoreError) -> Value {
        let mailbox = mailbox
        let log = store.options.log
        let loop = loop
        let outcome = await withAnswer { (continuation: AnswerContinuation<Result<Value, StoreError>>) in
            reader.submit { context in
                var outcome: Result<Value, StoreError> = .failure(.unavailable(retryAfter: retryAfter))
                if let context {
                    do { outcome = .success(try body(context)) } catch { log("read: \(error)") }
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

/// What the store does not have.
func noSuchTask() -> StoreError { .refused(Refusal(.noSuchTask, field: "task_id")) }
