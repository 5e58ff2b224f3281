internal import Push

/// Sessions whose window was found full. They are visited in turn, some times a second, to see whether what holds the window is
/// over: cancelled, superseded, withdrawn or expired. That costs nothing where nobody is blocked, and nothing for each message.
struct BlockedSessions {
    fileprivate struct Entry {
        let session: Session
        var visits: UInt32 = 0
    }

    fileprivate var entries: [Entry] = []
    private var next = 0

    var isEmpty: Bool { entries.isEmpty }
    var count: Int { entries.count }

    fileprivate mutating func append(_ session: Session) { entries.append(Entry(session: session)) }

    /// Visits so many, each at most once.
    /// - Parameter isBlocked: whether the session stays here.
    fileprivate mutating func visit(atMost count: Int, _ isBlocked: (Session, _ visits: UInt32) -> Bool) {
        for _ in 0..<min(count, entries.count) {
            if next >= entries.count { next = 0 }
            entries[next].visits &+= 1
            if isBlocked(entries[next].session, entries[next].visits) {
                next += 1
            } else {
                entries.swapAt(next, entries.count - 1)
                entries.removeLast()
            }
        }
    }
}

// How a window is freed of what is over, when the device does not say a word about it.

extension Dispatcher {
    /// The session waits for room in its window.
    func block(_ session: Session) {
        guard !session.isBlocked else { return }
        session.isBlocked = true
        blocked.append(session)
    }

    /// Visits blocked sessions, in turn.
    func visitBlocked(atMost count: Int) {
        var freed: [Session] = []
        blocked.visit(atMost: count) { session, visits in
            if session.state == .catchingUp, session.window.isFull {
                endWhatIsKnown(session)
                if session.window.isHeld, Self.isTimeToLookBack(visits), !session.isReadingPage {
                    session.looksBack = true
                    pageQueue.append(session)
                }
                if session.window.isFull { return true }
            }
            session.isBlocked = false
            freed.append(session)
            return false
        }
        for session in freed { advance(session) }
    }

    /// What is over by the clock, or by the feed as far as the ring remembers it.
    private func endWhatIsKnown(_ session: Session) {
        let seconds = UInt32(clamping: clock.now / 1_000)
        session.endMessages { position, expires in expires <= seconds || rows.hasEnded(at: position) }
    }

    /// Of what has left the ring, of withdrawals and of a gap in the feed only the store knows. It is asked after two seconds of
    /// visits, then less and less often, in the end once a minute.
    private static func isTimeToLookBack(_ visits: UInt32) -> Bool {
        visits >= 256 ? visits % 256 == 0 : visits >= 8 && visits.nonzeroBitCount == 1
    }

    /// The store was asked from the cursor on: what it does not name is over.
    func endWhatIsMissing(in page: Pending, _ session: Session) {
        let pending = Set(page.rows.lazy.filter { !self.ended.contains($0.task) }.map(\.position))
        session.endMessages { position, _ in position <= page.lookedUpTo && !pending.contains(position) }
    }
}
