internal import Libevent
internal import MQTT
internal import Push

// Devices that do not acknowledge: what is over is taken from their windows, and in the end they are sent away.

extension Shard {
    // MARK: Windows that are full

    private static let visitPeriod = Duration.milliseconds(250)
    /// Blocked sessions that are visited at once: less than a turn may last.
    private static let visitsAtOnce = 500

    /// Has blocked sessions visited for as long as there are any.
    func visitBlockedSessions() {
        guard !isVisiting, dispatchers.contains(where: { !$0.blocked.isEmpty }) else { return }
        isVisiting = true
        visitTimer?.restart(after: Self.visitPeriod)
    }

    func visitsAreDue() {
        enter {
            isVisiting = false
            for dispatcher in dispatchers { dispatcher.visitBlocked(atMost: Self.visitsAtOnce) }
            visitBlockedSessions()
        }
    }

    // MARK: Messages without PUBACK

    /// A session is looked at: its oldest message without PUBACK may be too old.
    /// - Returns: when to look again; `nil` where there is nothing to look after any more.
    func judge(_ slot: Int, _ id: SessionID) -> Duration? {
        guard let connection = connections[slot], case .open(let session, _) = connection.state, session.id == id else {
            return nil
        }
        var next: Duration?
        enter { next = judge(connection, session) }
        return next
    }

    private func judge(_ connection: DeviceConnection, _ session: Session) -> Duration? {
        guard let sent = session.window.oldestSending else {
            session.isWatched = false
            return nil
        }
        // Its PUBACK may have come, behind receipts that wait.
        guard !session.conversation.isCongested else { return .seconds(1) }
        let timeout = max(1, Int(configuration.acknowledgementTimeout / .milliseconds(100)))
        let limit = overdue.limit(of: session.device, session.id, timeout: timeout, at: clock.tick)
        let left = limit - clock.tick.elapsed(since: sent)
        guard left <= 0 else { return .milliseconds(100 * left) }
        overdue.note(session.device, timeout: timeout, at: clock.tick)
        connectionCounters.overdue += 1
        let cause = "a message was not acknowledged in time"
        log(.info, "connection ends", cause: cause, metadata(of: connection, cause))
        close(connection, .disconnect(.implementationSpecificError, session.version, cause: cause), draining: true)
        return nil
    }
}
