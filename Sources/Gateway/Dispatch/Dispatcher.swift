internal import MQTT
internal import Push

/// One lane's sessions on one loop, and what is offered to them: it applies the feed's entries, in order.
///
/// What concerns a session and lies at or before its `offeredUpTo` was offered to it. A live session is further than that: it
/// was offered everything but the rows of the ``SweepQueue`` after its `offeredUpTo`. So nobody has to touch every session for
/// every row.
///
/// It knows no socket and no store. What it leads to is left for the shard, which looks after it when an entry ends: sessions
/// with output, facts in ``settled``, and sessions that wait for a page.
final class Dispatcher {
    let lane: Lane
    let configuration: GatewayConfiguration
    /// The feed has been applied up to here.
    private(set) var head: Position
    let clock: DeliveryClock
    /// The feed tells everything that went on before that term of the ``Lease``.
    private(set) var term: UInt64

    var sessions = SessionTable()
    var tree: OrganisationTree
    /// The last position at which an organisation moved: the ring serves nothing before it.
    var treeSince: Position
    var rows: RecentRows
    var sweep = SweepQueue()
    var ended = EndedTasks()
    var pageQueue = PageQueue()
    var blocked = BlockedSessions()
    var scratch: [Int] = []

    /// Sessions with output that is not handed to their connection yet.
    var flushQueue: [Session] = []
    /// See ``openOutput(of:)``.
    var buffers: [[UInt8]] = []
    /// Facts that are not handed to the store yet.
    var settled: [Delivery] = []
    /// What it has counted.
    var counters = DeviceCounters()
    /// Told what happens to sessions that are traced.
    var onTrace: ((Session, TracePoint) -> Void)?

    /// Sessions that rows of the running event may still be offered to outside the sweep.
    private var directLeft = 0

    init(_ snapshot: DirectorySnapshot, configuration: GatewayConfiguration, clock: DeliveryClock) {
        lane = snapshot.lane
        self.configuration = configuration
        self.clock = clock
        term = snapshot.term
        head = snapshot.position
        tree = OrganisationTree(snapshot.organisations)
        treeSince = snapshot.position
        rows = RecentRows(capacity: configuration.ringBytes, start: snapshot.position)
    }

    /// Whether messages may be handed to connections.
    var mayDeliver: Bool { clock.term == term }

    // MARK: The feed

    /// An event begins; entries follow.
    func beginEvent() { directLeft = configuration.directSessions }

    /// The event is over: everything up to there has been applied.
    func endEvent(at position: Position) { head = max(head, position) }

    /// Applies an entry. Those that close connections or concern apps are the shard's.
    func apply(_ entry: Entry) {
        switch entry {
        case .row(let row):
            add(row)
            head = row.position
        case .membership(let device, let membership, let position):
            if let session = sessions[device] { change(session, to: membership, at: position) }
            head = position
        case .organisation(let organisation, let parent, let position):
            // What waits in the sweep knows whom it addressed, so live sessions lack nothing by this.
            if tree.set(organisation, parent: parent) { treeSince = position }
            head = position
        case .ended(let task, let position):
            rows.markEnded(task)
            ended.insert(task)
            head = position
        case .close, .inquiry, .app, .operatorChanged, .operatorSession: break
        }
    }

    /// Something was left out: every session catches up, and what was known of the directory is replaced.
    func reset(to snapshot: DirectorySnapshot, now position: Position) {
        var all: [Session] = []
        all.reserveCapacity(sessions.count)
        sessions.forEach { all.append($0) }
        for session in all {
            fallBehind(session, at: offeredUpTo(of: session))
            sessions.setMembership(nil, of: session)
            session.membershipAt = .start
            session.membershipSince = position
            // A page that is being read may hold tasks whose end was left out.
            session.epoch &+= 1
        }
        term = snapshot.term
        tree = OrganisationTree(snapshot.organisations)
        treeSince = position
        rows = RecentRows(capacity: configuration.ringBytes, start: position)
        sweep.removeAll()
        head = position
        for session in all { advance(session) }
    }

    private func add(_ row: Row) {
        var recipients: Subtree?
        if case .organisation(let organisation) = row.target { recipients = tree.subtree(organisation) }
        let within = row.audience.within.map { tree.subtree($0) }
        let number = rows.append(row, recipients: recipients, within: within)
        sweep.merge(before: rows.firstNumber)
        switch row.target {
        case .device(let device):
            if let session = sessions[device] { offer(number, to: session) }
        case .user(let user):
            sessions.forEach(of: user) { offer(number, to: $0) }
        case .organisation:
            guard let recipients, sessions.isSmall(recipients, limit: directLeft) else {
                sweep.append(number: number, position: row.position, predecessor: head)
                return
            }
            for organisation in recipients.organisations {
                sessions.forEach(of: organisation) { session in
                    directLeft -= 1
                    offer(number, to: session)
                }
            }
        }
    }

    private func change(_ session: Session, to membership: Membership, at position: Position) {
        // What it lacks was accepted under the old membership: it gets that first.
        bringUpToDate(session)
        session.membershipSince = position
        guard position > session.membershipAt else { return }
        session.membershipAt = position
        sessions.setMembership(membership, of: session)
    }

    // MARK: Sessions

    /// Adds a session; it begins by catching up.
    func join(_ session: Session) {
        sessions.insert(session)
        advance(session)
    }

    /// Nothing more is offered to the session; its acknowledgements still count.
    func freeze(_ session: Session) {
        session.offeredUpTo = offeredUpTo(of: session)
        session.state = .frozen
    }

    /// Removes a session that is frozen. What it has not been sent by now is in the log.
    func leave(_ session: Session) {
        counters.abandoned += UInt64(session.window.unacknowledged)
        sessions.remove(session)
        session.output = []
    }

    /// Everything of the device up to here is settled.
    func settledUpTo(of session: Session) -> Position { session.window.settledUpTo ?? offeredUpTo(of: session) }

    /// The device's PUBACK has come. Identifiers that mean nothing are ignored. By a reason code of 0x80 or above the device
    /// tells that it does not take the message, which is settled too.
    func acknowledge(_ puback: Puback, of session: Session) {
        guard let position = session.window.acknowledge(puback.packetID, at: clock.tick) else { return }
        var kind = Delivery.Kind.delivered
        // Nearly always, and told apart without a call.
        if case .success = puback.reasonCode {
        } else if puback.reasonCode.isError {
            kind = .rejected(reasonCode: puback.reasonCode.rawValue)
        }
        if case .delivered = kind { counters.acknowledged += 1 } else { counters.rejected += 1 }
        if session.isTraced { onTrace?(session, .acknowledged(packetID: puback.packetID, puback.reasonCode)) }
        settled.append(Delivery(device: session.device, position: position, settledUpTo: settledUpTo(of: session), kind: kind))
    }

    /// Removes the facts that are to be handed to the store.
    func removeSettled() -> [Delivery] {
        var removed: [Delivery] = []
        swap(&removed, &settled)
        return removed
    }
}
