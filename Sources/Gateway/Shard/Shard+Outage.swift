internal import Libevent
internal import Push

// When this process may not deliver, as its lease has lapsed, or cannot ask the store, as that is another machine's and does not
// answer: connections stay, what devices send is taken, and what is held up goes on by itself.

extension Shard {
    /// How long until what is held up is tried again, in milliseconds. By chance, or all loops of all nodes would ask at the same
    /// moment.
    private static let pauses = 250...750

    /// Whether connections stay when the store does not answer what it is asked for them.
    var staysWithoutStore: Bool { lease != nil && !isStopping }

    /// Something is held up: it is tried again in a moment.
    func pause() {
        guard !isPaused, !isStopping else { return }
        isPaused = true
        pauseTimer?.restart(after: .milliseconds(Int.random(in: Self.pauses, using: &random)))
    }

    func pauseIsOver() {
        enter {
            isPaused = false
            readLease()
            receipts = deferred + receipts
            deferred = []
            for dispatcher in dispatchers { dispatcher.advanceAll() }
        }
    }

    /// Reads anew within a turn whether messages may be delivered.
    func readLease() {
        guard let lease else { return }
        clock.term = lease.term(leaving: Lease.turn)
        if clock.term == nil { pause() }
    }

    /// The lease has lapsed between the writing of messages and their sending: the process stood still. They stay in the log,
    /// and their devices come again.
    func discardOutput(of dispatcher: Dispatcher) {
        readLease()
        for session in dispatcher.discardOutput() {
            guard let connection = connections[Int(session.connectionSlot)] else { continue }
            let cause = "the lease has lapsed while it was written to"
            log(.notice, "connection ends", cause: cause, metadata(of: connection, cause))
            close(connection, Ending(cause: cause))
        }
    }

    // MARK: Receipts

    /// Puts off what the store could not be told.
    func putOff(_ batch: [QueuedReceipt]) {
        deferred += batch
        pause()
    }

    /// Whether this turn's receipts wait behind others, so that the store is told all in order.
    func defersReceipts() -> Bool {
        guard !deferred.isEmpty else { return false }
        guard !isStopping else {
            receipts = deferred + receipts
            deferred = []
            return false
        }
        deferred += receipts
        receipts = []
        return true
    }
}
