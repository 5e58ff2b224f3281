/// What a server does that has as many connections as it may.
public enum HTTPPressure: Hashable, Sendable {
    /// A connection that said nothing was closed, for a new one.
    case closedSilent
    /// None said nothing, so a new connection is only answered that there is no room (`HTTPExchange.isSurplus`).
    case surplus
    /// There are too many of these as well: a new connection was closed.
    case dropped
}

/// Makes room in a full server: for each new connection another one is closed.
///
/// The first to go are those that do not read what they have asked for, the longest first. Then those that are silent, which have
/// sent nothing since they came, or since their last request was answered. Then those that are slow with the head of a request,
/// and those that do not leave after a refusal. A connection with a request in hand, or with a body on its way, is never closed
/// for another.
final class HTTPCrowd {
    private struct Candidate {
        let connection: HTTPConnection
        let rank: Int64
    }

    // Safe: the service owns it.
    private unowned(unsafe) let service: HTTPService
    private let limits: HTTPLimits
    /// New ones that have come while there was no room.
    private var newcomers: [HTTPConnection] = []
    private var surplus: SurplusConnections
    /// The longest silent, as they were when somebody last looked, the longest last. To look through all of them for each new one
    /// would cost a full server a millisecond a connection.
    private var candidates: [Candidate] = []
    private var nextSearch: Int64 = 0
    var onPressure: ((HTTPPressure) -> Void)?

    /// How long nobody looks again, when none was silent, in nanoseconds.
    private static let searchPause: Int64 = 100_000_000

    init(of service: HTTPService) {
        self.service = service
        limits = service.limits
        surplus = SurplusConnections(besides: limits.budget)
    }

    /// Whether the next connection will be one too many.
    func willBeFull(with pending: Int) -> Bool {
        if let budget = limits.budget, budget.count + pending >= budget.limit { return true }
        return service.connections.count + pending - surplus.count >= limits.maxConnections
    }

    private var isOverfull: Bool {
        service.connections.count - surplus.count > limits.maxConnections || limits.budget?.isExceeded == true
    }

    /// A new connection stands in the table. Room is made when the callback that accepts has returned, before anything of it is
    /// read.
    func didAdopt(_ connection: HTTPConnection) {
        limits.budget?.enter()
        guard isOverfull else { return }
        newcomers.append(connection)
        guard newcomers.count == 1 else { return }
        service.loop.afterCallback { [weak self] in self?.makeRoom() }
    }

    func didClose(_ connection: HTTPConnection) {
        surplus.didClose(surplus: connection.isSurplus)
    }

    /// Whether a connection that came when there was no room is still one too many.
    func remainsSurplus(_ connection: HTTPConnection) -> Bool {
        guard connection.isSurplus else { return false }
        guard !willBeFull(with: 0) else { return true }
        connection.isSurplus = false
        surplus.place()
        return false
    }

    private func makeRoom() {
        defer { newcomers.removeAll(keepingCapacity: true) }
        for newcomer in newcomers where newcomer.service != nil && isOverfull {
            // One that was surplus itself leaves no place: there is room for the newcomer only if a counted one has gone.
            if closeLongestSilent() && !isOverfull {
                onPressure?(.closedSilent)
            } else if surplus.take() {
                newcomer.isSurplus = true
                onPressure?(.surplus)
            } else {
                newcomer.close()
                onPressure?(.dropped)
            }
        }
    }

    /// - Returns: whether there was one.
    private func closeLongestSilent() -> Bool {
        let now = service.loop.monotonicNow
        if let found = removeCandidate(at: now) ?? search(at: now) {
            found.close()
            return true
        }
        return false
    }

    private func removeCandidate(at now: Int64) -> HTTPConnection? {
        while let candidate = candidates.popLast() {
            let connection = candidate.connection
            // It may have spoken, or gone, since it was found.
            if connection.rankOfSilence(at: now) == candidate.rank, connection.canBeClosed { return connection }
        }
        return nil
    }

    private func search(at now: Int64) -> HTTPConnection? {
        guard now >= nextSearch else { return nil }
        candidates = service.connections.values.compactMap { connection in
            connection.rankOfSilence(at: now).map { Candidate(connection: connection, rank: $0) }
        }
        candidates.sort { $0.rank > $1.rank }
        candidates.removeFirst(candidates.count - min(candidates.count, max(16, candidates.count / 16)))
        let found = removeCandidate(at: now)
        if found == nil { nextSearch = now + Self.searchPause }
        return found
    }
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
        case .arriving where !isHeadComplete && now - since > Self.slowHead: return Self.behindSilent + since
        case .refused where isRefusalWritten: return Self.behindSilent + since
        case .answering where isSlowReader(at: now): return Self.beforeSilent + since
        case .arriving, .waiting, .answering, .streaming, .refused: return nil
        }
    }

    /// Whether closing it drops no request that has come in time.
    fileprivate var canBeClosed: Bool { state != .idle || isQuiet }
}
