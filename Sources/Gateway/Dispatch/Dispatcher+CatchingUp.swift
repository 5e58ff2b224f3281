internal import Push

/// A page that is to be asked for.
struct PageRequest {
    let session: Session
    let after: Position
    let limit: Int
    fileprivate let epoch: UInt16
    fileprivate let generation: UInt32
}

// How a session that is behind becomes live.

extension Dispatcher {
    /// Serves a session that catches up as far as it goes without the store. Then it is live, or it waits for a page or for an
    /// acknowledgement.
    func advance(_ session: Session) {
        guard session.state == .catchingUp, !session.isReadingPage, mayDeliver else { return }
        session.window.forgetSettled(upTo: session.offeredUpTo)
        if knowsMembership(session) {
            if session.offeredUpTo >= head {
                session.state = .live
                return
            }
            if serveFromRing(session) { return }
        }
        guard !session.window.isFull else { return block(session) }
        pageQueue.append(session)
    }

    /// The next page to ask for; `nil` when no session waits for one.
    func nextPageRequest() -> PageRequest? {
        guard mayDeliver else { return nil }
        while let session = pageQueue.popFirst() {
            // While it waited, the ring may have come within its reach, or it may have gone.
            guard session.state == .catchingUp, !session.isReadingPage else { continue }
            if session.looksBack {
                let limit = session.window.count + session.window.pageLimit
                return pageRequest(session, after: settledUpTo(of: session), limit)
            }
            if knowsMembership(session), session.offeredUpTo >= head || serveFromRing(session) {
                advance(session)
                continue
            }
            guard !session.window.isFull else {
                block(session)
                continue
            }
            return pageRequest(session, after: session.offeredUpTo, session.window.pageLimit)
        }
        return nil
    }

    /// Goes on with every session that catches up and waits for nothing: what held them up is over.
    func advanceAll() {
        var waiting: [Session] = []
        sessions.forEach { if $0.state == .catchingUp, !$0.isBlocked { waiting.append($0) } }
        for session in waiting { advance(session) }
    }

    private func pageRequest(_ session: Session, after position: Position, _ limit: Int) -> PageRequest {
        session.isReadingPage = true
        counters.pages += 1
        return PageRequest(
            session: session, after: position, limit: limit, epoch: session.epoch, generation: ended.begin())
    }

    /// A page has come. It goes out with the CONNACK, where that has waited for it.
    func offer(_ page: Pending, for request: PageRequest) {
        let session = request.session
        session.isReadingPage = false
        defer {
            session.looksBack = false
            ended.finish(request.generation)
            releaseConnack(of: session)
        }
        guard session.state == .catchingUp else { return }
        guard session.epoch == request.epoch else { return advance(session) }
        if session.looksBack { endWhatIsMissing(in: page, session) }
        if session.membership == nil || page.membershipAt > session.membershipAt {
            session.membershipAt = page.membershipAt
            sessions.setMembership(page.membership, of: session)
        }
        for row in page.rows where row.position > session.offeredUpTo {
            if ended.contains(row.task) {
                session.offeredUpTo = row.position
            } else if !deliver(row, after: session.offeredUpTo, to: session) {
                return
            }
        }
        session.offeredUpTo = max(session.offeredUpTo, page.lookedUpTo)
        advance(session)
    }

    /// A page will not come.
    func abandon(_ request: PageRequest) {
        request.session.isReadingPage = false
        request.session.looksBack = false
        ended.finish(request.generation)
    }

    /// Whether what concerns the session after its `offeredUpTo` follows from what is known of it. A page may know of a change
    /// that the feed has not told yet. Of changes before the session began, and before the last one, only the store knows.
    private func knowsMembership(_ session: Session) -> Bool {
        session.membership != nil && session.membershipAt <= max(head, session.offeredUpTo)
            && session.offeredUpTo >= session.membershipSince
    }

    /// Offers what the ring has after the session's `offeredUpTo`.
    /// - Returns: whether the ring has it all: then the session is live, or its window is full.
    private func serveFromRing(_ session: Session) -> Bool {
        let after = session.offeredUpTo
        guard after >= rows.start, after >= treeSince, !session.window.isFull, let membership = session.membership else {
            return false
        }
        let limit = max(64, 4 * session.window.limit)
        scratch.removeAll(keepingCapacity: true)
        var isComplete = rows.collect(.device(session.device), after: after, limit: limit, into: &scratch)
        if let user = membership.user {
            isComplete = isComplete && rows.collect(.user(user), after: after, limit: limit, into: &scratch)
        }
        tree.forEachAncestor(of: membership.organisation) { organisation in
            isComplete = isComplete && rows.collect(.organisation(organisation), after: after, limit: limit, into: &scratch)
        }
        // So many that finding the oldest again and again would cost more than a page.
        guard isComplete else { return false }
        scratch.sort()
        for number in scratch {
            let entry = rows[number]
            guard !entry.hasEnded, entry.concerns(session.device, membership) else { continue }
            guard deliver(entry.row, after: session.offeredUpTo, to: session) else { return true }
        }
        // The ring may already hold a row that is being applied, and is then ahead of `head`.
        session.offeredUpTo = max(session.offeredUpTo, head)
        session.state = .live
        session.window.forgetSettled(upTo: session.offeredUpTo)
        return true
    }
}

/// Sessions that wait for their page, first come, first served.
struct PageQueue {
    private var sessions: [Session] = []
    private var first = 0

    var isEmpty: Bool { first == sessions.count }
    var count: Int { sessions.count - first }

    mutating func append(_ session: Session) {
        guard !session.isQueuedForPage else { return }
        session.isQueuedForPage = true
        sessions.append(session)
    }

    mutating func popFirst() -> Session? {
        guard first < sessions.count else { return nil }
        let session = sessions[first]
        session.isQueuedForPage = false
        first += 1
        if first == sessions.count {
            sessions.removeAll(keepingCapacity: first <= 1024)
            first = 0
        } else if first >= 64, first * 2 > sessions.count {
            sessions.removeFirst(first)
            first = 0
        }
        return session
    }
}
