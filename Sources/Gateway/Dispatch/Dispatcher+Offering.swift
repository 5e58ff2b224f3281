internal import MQTT
internal import Push

// How rows get to live sessions.

extension Dispatcher {
    /// Everything that concerns the session up to here was offered to it.
    func offeredUpTo(of session: Session) -> Position {
        guard session.state == .live else { return session.offeredUpTo }
        let index = sweep.index(after: session.offeredUpTo)
        return max(session.offeredUpTo, index < sweep.count ? sweep[index].predecessor : head)
    }

    /// Offers the newest row to a session that it may concern, after what the sweep still owes it.
    func offer(_ number: Int, to session: Session) {
        bringUpToDate(session)
        guard session.state == .live, let membership = session.membership else { return }
        let entry = rows[number]
        guard entry.row.position > session.offeredUpTo, entry.concerns(session.device, membership) else { return }
        deliver(entry.row, after: max(head, session.offeredUpTo), to: session)
    }

    /// Offers a live session everything that the sweep still owes it.
    func bringUpToDate(_ session: Session) {
        guard session.state == .live, let last = sweep.last, last.position > session.offeredUpTo,
            let membership = session.membership
        else { return }
        for index in sweep.index(after: session.offeredUpTo)..<sweep.count {
            let item = sweep[index]
            guard item.number >= rows.firstNumber else {
                // The row has left the ring.
                fallBehind(session, at: max(item.predecessor, session.offeredUpTo))
                advance(session)
                return
            }
            let entry = rows[item.number]
            guard !entry.hasEnded, entry.concerns(session.device, membership) else { continue }
            guard deliver(entry.row, after: max(item.predecessor, session.offeredUpTo), to: session) else { return }
        }
        session.offeredUpTo = last.position
    }

    /// Goes to the next slot of the sweep.
    /// - Returns: false when nothing is left to sweep.
    func visitNext() -> Bool {
        guard !sweep.isEmpty else { return false }
        if sweep.slot < sessions.slotCount, let session = sessions[sweep.slot] { bringUpToDate(session) }
        sweep.advance(slotCount: sessions.slotCount)
        return !sweep.isEmpty
    }

    /// Sends one row that concerns the session and comes after all that it was offered.
    /// - Parameter predecessor: everything up to there was offered.
    /// - Returns: false when the window has no room, or nothing may be delivered; then the session catches up from `predecessor`.
    @discardableResult
    func deliver(_ row: Row, after predecessor: Position, to session: Session) -> Bool {
        guard mayDeliver else {
            fallBehind(session, at: predecessor)
            return false
        }
        if let expires = row.expires, expires <= clock.now {
            session.offeredUpTo = row.position
            return true
        }
        let wasSettled = session.window.wasSettledBefore(row.position)
        if wasSettled, session.window.isEmpty {
            session.offeredUpTo = row.position
            return true
        }
        guard !session.window.isFull else {
            if session.isTraced, !session.isBlocked { onTrace?(session, .windowFull(before: row.task)) }
            fallBehind(session, at: predecessor)
            block(session)
            return false
        }
        session.offeredUpTo = row.position
        if wasSettled {
            session.window.appendSettled(row.position, after: predecessor)
            return true
        }
        let template = DeviceTopics.template(of: row.topic, session.version)
        guard session.takes(packetSize: template.size(of: row.payload)) else {
            skip(row, after: predecessor, session)
            return true
        }
        let packetID = session.window.append(row.position, after: predecessor, expires: row.expires, at: clock.tick)
        openOutput(of: session)
        template.append(row.payload, packetID: packetID, to: &session.output)
        counters.published += 1
        if session.isTraced { onTrace?(session, .sent(row.task, packetID: packetID)) }
        return true
    }

    /// The row is larger than the device takes: settled without being sent, in its turn.
    private func skip(_ row: Row, after predecessor: Position, _ session: Session) {
        session.window.appendSettled(row.position, after: predecessor)
        counters.skipped += 1
        if session.isTraced { onTrace?(session, .skipped(row.task)) }
        settled.append(
            Delivery(
                device: session.device, position: row.position, settledUpTo: session.window.settledUpTo ?? row.position,
                kind: .skipped))
    }

    /// The session can no longer be served as it comes: it reads the log from `position` on.
    func fallBehind(_ session: Session, at position: Position) {
        guard session.state != .frozen else { return }
        session.offeredUpTo = max(session.offeredUpTo, position)
        session.state = .catchingUp
    }
}
