internal import Base

/// Makes room among the connections of servers that are full together: for each new connection another one is closed.
///
/// The first to go are those that do not read what they have asked for, the longest first. Then those that are silent, which have
/// sent nothing since they came, or since their last request was answered. Then those that are slow with the head of a request,
/// or with the body of one who has shown nothing of himself, and those that do not leave after a refusal. Any other connection
/// with a request in hand, or with a body on its way, is never closed for another.
final class HTTPCrowd {
    private struct Member {
        // Safe: each leaves before it goes.
        unowned(unsafe) let service: HTTPService
    }
    /// A connection by its place, so that it is not kept when it has closed. Another one that has its place by then is younger.
    private struct Candidate {
        let member: Member
        let slot: Int
        let rank: Int64

        var connection: HTTPConnection? { member.service.connection(at: slot) }
    }

    private let loop: EventLoop
    private let room: ConnectionRoom
    private let admission: ConnectionAdmission?
    private var members: [Member] = []
    /// New ones that have come while there was no room.
    private var newcomers: [HTTPConnection] = []
    /// Those that may go, as they were when somebody last looked, the first to go last. To look through all connections for each
    /// new one would cost a full server a millisecond a connection.
    private var candidates: [Candidate] = []
    private var nextSearch: Int64 = 0
    var onPressure: ((ConnectionPressure) -> Void)?

    /// How long nobody looks again, when none could go, in nanoseconds.
    private static let searchPause: Int64 = 100_000_000
    /// So many sockets are asked for each new connection whether something waits in them that nobody has read.
    private static let looks = 64

    init(on loop: EventLoop, _ limits: HTTPLimits) {
        self.loop = loop
        admission = limits.admission
        room = ConnectionRoom(limit: limits.maxConnections, budget: limits.budget)
    }

    func join(_ service: HTTPService) { members.append(Member(service: service)) }

    func leave(_ service: HTTPService) {
        members.removeAll { $0.service === service }
        candidates.removeAll { $0.member.service === service }
    }

    /// Whether the next connection will be one too many.
    func willBeFull(with pending: Int) -> Bool { room.isFull(with: pending) }

    /// A new connection stands in its server's table. Room is made when the callback that accepts has returned, before anything
    /// of it is read.
    func didAdopt(_ connection: HTTPConnection) {
        room.enter()
        if admission != nil {
            // On the plain way its socket is known only when the callback has returned.
            loop.afterCallback { [weak self, weak connection] in
                if let self, let connection, connection.service != nil, !admits(connection) { connection.close() }
            }
        }
        guard room.isOverfull else { return }
        newcomers.append(connection)
        guard newcomers.count == 1 else { return }
        loop.afterCallback { [weak self] in self?.makeRoom() }
    }

    func didClose(_ connection: HTTPConnection) {
        room.leave(surplus: connection.isSurplus)
        if case .admitted(let address) = connection.admission { admission?.leave(address) }
    }

    private func admits(_ connection: HTTPConnection) -> Bool {
        guard let admission else { return true }
        // A proxy's connection stands for many clients.
        let address = connection.address?.ip
        let isProxy = address.map { connection.service?.forwarding?.trusted.contains($0) == true } ?? true
        let counted = isProxy ? nil : address
        guard admission.admit(counted, at: loop.monotonicNow) else { return false }
        connection.admission = .admitted(counted)
        return true
    }

    /// Whether a connection that came when there was no room is still one too many.
    func remainsSurplus(_ connection: HTTPConnection) -> Bool {
        guard connection.isSurplus else { return false }
        connection.isSurplus = !room.place()
        return connection.isSurplus
    }

    private func makeRoom() {
        defer { newcomers.removeAll(keepingCapacity: true) }
        for newcomer in newcomers where newcomer.service != nil {
            guard let pressure = room.makeRoom(byClosing: closeFirst) else { return }
            switch pressure {
            case .closedSilent: break
            case .surplus: newcomer.isSurplus = true
            case .dropped: newcomer.close()
            }
            onPressure?(pressure)
        }
    }

    /// - Returns: whether the one that went had a place; nil: there was none.
    private func closeFirst() -> Bool? {
        guard let first = first() else { return nil }
        defer { first.close() }
        return !first.isSurplus
    }

    private func first() -> HTTPConnection? {
        let now = loop.monotonicNow
        if candidates.isEmpty {
            guard now >= nextSearch else { return nil }
            search(at: now)
        }
        for _ in 0..<Self.looks {
            guard let candidate = candidates.popLast() else { break }
            // It may have spoken, or gone, since it was found.
            guard let connection = candidate.connection, connection.rankOfSilence(at: now) == candidate.rank else { continue }
            if connection.canBeClosed { return connection }
        }
        if candidates.isEmpty { nextSearch = now + Self.searchPause }
        return nil
    }

    private func search(at now: Int64) {
        for member in members {
            for connection in member.service.connections.values {
                guard let rank = connection.rankOfSilence(at: now) else { continue }
                candidates.append(Candidate(member: member, slot: connection.slot, rank: rank))
            }
        }
        candidates.sort { $0.rank > $1.rank }
    }
}

/// Whether a connection was counted when it came.
enum HTTPAdmission {
    case unasked
    /// By its address, where that is one client's.
    case admitted(IPAddress?)
}

extension HTTPConnection {
    /// A head that is not complete after so long is slow, in nanoseconds.
    private static let slowHead: Int64 = 1_000_000_000
    /// Those that have said something come behind all that have not.
    private static let behindSilent = Int64.max / 2
    /// Those that do not read come before all others.
    private static let beforeSilent = Int64.min / 2

    /// The smaller, the sooner it goes from a full server; nil: it stays.
    fileprivate func rankOfSilence(at now: Int64) -> Int64? {
        // What has come in this turn has had no time to speak.
        guard service != nil, since < now else { return nil }
        switch state {
        case .idle: return since
        case .arriving where (!isHeadComplete || arrival.isOfStranger) && now - since > Self.slowHead:
            return Self.behindSilent + since
        case .refused where isRefusalWritten: return Self.behindSilent + since
        case .answering where isSlowReader(at: now): return Self.beforeSilent + since
        case .arriving, .waiting, .answering, .streaming, .refused: return nil
        }
    }

    /// Whether closing it drops no request that has come in time.
    fileprivate var canBeClosed: Bool { state != .idle || isQuiet }
}
