internal import Libevent
internal import Push

// The order in which things happen in a shard: what is done whenever something enters it, and at the end of a turn.

extension Shard {
    /// The one way into the shard. Whatever comes from outside passes here: a callback of a socket, an event of the feed, an
    /// answer of the store, a timer, the end of a turn, the server's call.
    ///
    /// On the way in the clock is set. On the way out pages are asked for, what was written is handed to the connections, and a
    /// shutdown that waits for something to be over is resumed. So nothing inside has to think of any of it.
    ///
    /// Where one entry calls another, the inner one is a part of the outer: all this happens once, when the outer one leaves.
    @inline(__always)
    func enter(_ body: () -> Void) {
        let isOuter = beginEntry()
        body()
        guard isOuter else { return }
        endEntry()
        turnEnd?.request()
    }

    private func beginEntry() -> Bool {
        guard !isEntered else { return false }
        isEntered = true
        clock.read(storeClock, lease, in: loop.monotonicNow)
        if clock.term == nil { pause() }
        return true
    }

    private func endEntry() {
        // Pages first: sessions that wait for one may be served from the ring instead, and that is written too.
        readPages()
        flush()
        isEntered = false
        if isStopping { resumeIfQuiet() }
    }

    // MARK: The end of a turn

    /// So many facts are handed over even when the loop goes on.
    private static let largeBatch = 512

    /// What the turn has gathered goes to the store: first what a row for many leads to, then the acknowledgements and receipts.
    func turnEnds() {
        assert(!isEntered, "the end of a turn comes from outside")
        _ = beginEntry()
        endTurn()
        endEntry()
        if isUnfinished { turnEnd?.request() }
    }

    /// Whether something is left for the end of the next turn.
    private var isUnfinished: Bool { dispatchers.contains { !$0.sweep.isEmpty || !$0.settled.isEmpty } }

    private func endTurn() {
        sweep()
        // Each batch wakes the store: while many devices answer at once, larger ones save one wake for every six
        // acknowledgements.
        let isDue = !loop.goesOn || !receipts.isEmpty || dispatchers.contains { $0.settled.count >= Self.largeBatch }
        if isDue { handOver() }
        commitReceipts()
        visitBlockedSessions()
    }

    /// Offers what a row for many owes its sessions, for as long as a step of the turn may last.
    private func sweep() {
        var visits = 0
        for dispatcher in dispatchers where !dispatcher.sweep.isEmpty {
            while dispatcher.visitNext() {
                visits += 1
                guard dispatcher.flushQueue.count >= 16 || visits % 1024 == 0 else { continue }
                flush()
                guard loop.turnExceeded else { continue }
                loop.goOn()
                return
            }
        }
    }

    // MARK: What goes out

    /// Output that a peer does not take; then nothing is read from it. Far more than a window of messages.
    private static let outputLimit = 256 * 1024

    /// Whether the lease has lapsed since a dispatcher's sessions were written to: their devices may have gone on elsewhere.
    func hasLapsed(sinceWritingTo dispatcher: Dispatcher) -> Bool {
        lease.map { dispatcher.mayDeliver && $0.term() != dispatcher.term } ?? false
    }

    /// Hands the sessions' output to their connections.
    private func flush() {
        for dispatcher in dispatchers where !dispatcher.flushQueue.isEmpty {
            // Asked again: the process may have stood still since the turn began.
            if hasLapsed(sinceWritingTo: dispatcher) {
                discardOutput(of: dispatcher)
                continue
            }
            dispatcher.flush { session in
                // A session that has ended meanwhile has none any more.
                guard !session.output.isEmpty, let connection = connections[Int(session.connectionSlot)] else { return }
                connection.socket.send(session.output)
                if !session.isWatched, session.window.oldestSending != nil { watch?.begin(session) }
                if connection.awaitsDrain { connection.undrained += Int32(clamping: session.output.count) }
                guard connection.socket.outputCount > Self.outputLimit, !connection.awaitsDrain else { return }
                connection.undrained = Int32(clamping: connection.socket.outputCount)
                connection.socket.setReading(false)
            }
        }
    }

    /// Hands the acknowledgements to the store, in one batch.
    func handOver() {
        for dispatcher in dispatchers where !dispatcher.settled.isEmpty {
            takesAcknowledgements = store.settle(dispatcher.removeSettled())
        }
    }
}
