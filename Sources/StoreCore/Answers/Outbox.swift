package import Push
internal import Synchronization

/// What the loops are to learn of a transaction: kept until it is committed, then posted, the feed's entries first, then the
/// answers to that loop's own requests. Writer only.
package final class Outbox {
    private struct Loop {
        let mailbox: any Mailbox
        var deliver: (@Sendable (FeedEvent) -> Void)?
        var entries: [Entry] = []
        var answers: [Answer] = []
        /// Bytes of payload that were posted and are not applied yet.
        let backlog = Backlog()
        /// Entries were left out: the loop is told to catch up as soon as it has applied what it has.
        var hasGap = false
        /// Wait for this loop to have applied the gap: what it was not told before ended there, too.
        var waiting: [Confirmation] = []
        var unsent = 0

        /// Up to where it has been told everything, where the log has been told up to `head`. Of what was left out the gap tells
        /// later: a loop that took it for told would not read it.
        func told(upTo head: UInt64) -> Position {
            hasGap ? entries.compactMap(\.position).last ?? .start : Position(raw: head)
        }
    }

    /// Whose order the entries are in.
    private let lane: Lane
    /// A loop that is further behind than this, in bytes, gets a gap instead of more.
    private let backlogLimit: Int
    /// What an entry without payload is counted as.
    private static let entryCost = 64
    /// How many answers a loop gives before it may end its turn: each may be a reply with its system call, so these take 0.2 ms.
    private static let answersAJob = 32

    private var loops: [Loop] = []
    private var confirmed: [(loop: Int, answer: Answer)] = []
    /// The same of what is committed already, whatever becomes of the next transaction.
    private var owed: [(loop: Int, answer: Answer)] = []

    /// An outbox of no loops yet.
    package init(of lane: Lane, backlogLimit: Int) {
        self.lane = lane
        self.backlogLimit = backlogLimit
    }

    package func join(_ mailbox: any Mailbox) { loops.append(Loop(mailbox: mailbox)) }

    package func subscribe(_ loop: Int, _ deliver: @escaping @Sendable (FeedEvent) -> Void) {
        loops[loop].deliver = deliver
    }

    /// To one loop: the one that has the device's session.
    package func post(_ entry: Entry, to loop: Int) {
        guard loops[loop].deliver != nil else { return }
        let cost = if case .row(let row) = entry { row.payload.count + Self.entryCost } else { Self.entryCost }
        if loops[loop].hasGap || loops[loop].backlog.bytes + loops[loop].unsent + cost > backlogLimit {
            switch entry {
            // Closing a connection is asked for once and cannot be caught up on.
            case .close: loops[loop].entries.append(entry)
            // Nobody waits for the answer of a loop that is so far behind.
            case .inquiry: break
            default: loops[loop].hasGap = true
            }
            return
        }
        // A loop skips what is not after what it has applied: an entry out of order would be lost.
        assert(
            loops[loop].entries.last?.position ?? .start < entry.position ?? .init(raw: .max), "the feed is in the log's order")
        loops[loop].unsent += cost
        loops[loop].entries.append(entry)
    }

    /// To every loop.
    package func post(_ entry: Entry) {
        for loop in loops.indices { post(entry, to: loop) }
    }

    package func answer(_ loop: Int, _ answer: @escaping Answer) { loops[loop].answers.append(answer) }

    /// An answer that waits until every loop has applied this transaction.
    package func confirm(_ loop: Int, _ answer: @escaping Answer) { confirmed.append((loop, answer)) }

    /// Has every loop catch up and read the log anew, as if something had been left out for it. What it reads is committed, so
    /// that a transaction which fails afterwards does not take this back.
    /// - Parameter answer: given on one of the loops when all have begun to; at once where nobody listens.
    package func leaveGap(_ answer: @escaping Answer) {
        guard let first = loops.firstIndex(where: { $0.deliver != nil }) else { return answer() }
        for loop in loops.indices where loops[loop].deliver != nil { loops[loop].hasGap = true }
        owed.append((first, answer))
    }

    /// The transaction failed: nothing of it is told.
    package func clear() {
        confirmed.removeAll()
        for loop in loops.indices {
            loops[loop].entries.removeAll()
            loops[loop].answers.removeAll()
            loops[loop].unsent = 0
        }
    }

    /// The transaction is committed: tells everybody, waking each loop at most once.
    package func send(upTo head: UInt64, snapshot: () -> DirectorySnapshot) {
        let awaited = owed.isEmpty ? confirmed : owed + confirmed
        let confirmation = awaited.isEmpty ? nil : Confirmation(of: awaited, by: loops, after: subscribed)
        owed.removeAll()
        confirmed.removeAll()
        let lane = lane
        // In place, and as one access: each look at an element by its index is checked.
        loops.withUnsafeMutableBufferPointer { loops in
            for index in loops.indices {
                var events: [FeedEvent] = []
                if !loops[index].entries.isEmpty {
                    events.append(.entries(lane, upTo: loops[index].told(upTo: head), loops[index].entries))
                }
                if let confirmation, loops[index].deliver != nil { loops[index].waiting.append(confirmation) }
                if loops[index].hasGap, loops[index].backlog.bytes == 0 {
                    loops[index].hasGap = false
                    events.append(.gap(lane, now: Position(raw: head), snapshot()))
                }
                let applied = loops[index].hasGap ? [] : loops[index].waiting
                guard !events.isEmpty || !loops[index].answers.isEmpty || !applied.isEmpty else { continue }
                Self.post(events, confirming: applied, to: &loops[index])
            }
        }
        if subscribed == 0 { confirmation?.release() }
    }

    /// Loops that are owed a gap: they are told as soon as they have applied what they have.
    package var owesGap: Bool { loops.indices.contains { loops[$0].hasGap } }

    // By index here and above: to look at an element copies all of it.
    private var subscribed: Int { loops.indices.count { loops[$0].deliver != nil } }

    private static func post(
        _ events: [FeedEvent], confirming confirmations: [Confirmation], to loop: inout Loop
    ) {
        let answers = loop.answers
        let deliver = loop.deliver
        let backlog = loop.backlog
        let cost = loop.unsent
        loop.entries = []
        loop.answers = []
        loop.unsent = 0
        if !confirmations.isEmpty { loop.waiting = [] }
        backlog.add(cost)
        let mailbox = loop.mailbox
        let first = answers.prefix(Self.answersAJob)
        mailbox.execute {
            if let deliver { for event in events { deliver(event) } }
            backlog.add(-cost)
            for answer in first { answer() }
            for confirmation in confirmations { confirmation.loopHasApplied() }
        }
        for start in stride(from: first.endIndex, to: answers.endIndex, by: Self.answersAJob) {
            let next = answers[start...].prefix(Self.answersAJob)
            mailbox.execute { for answer in next { answer() } }
        }
    }

    /// Bytes on their way to a loop.
    private final class Backlog: Sendable {
        private let count = Atomic(0)
        var bytes: Int { count.load(ordering: .relaxed) }
        func add(_ bytes: Int) { count.add(bytes, ordering: .relaxed) }
    }

    /// Answers that wait for all loops.
    private final class Confirmation: Sendable {
        private let answers: [(mailbox: any Mailbox, answer: Answer)]
        private let missing: Atomic<Int>

        init(of answers: [(loop: Int, answer: Answer)], by loops: [Loop], after count: Int) {
            self.answers = answers.map { (loops[$0.loop].mailbox, $0.answer) }
            missing = Atomic(count)
        }

        func loopHasApplied() {
            if missing.subtract(1, ordering: .acquiringAndReleasing).newValue == 0 { release() }
        }

        func release() {
            for (mailbox, answer) in answers { mailbox.execute(answer) }
        }
    }
}
