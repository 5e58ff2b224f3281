internal import Base
public import Synchronization

/// Tells what happens to what is traced, to whoever follows. One for a process; any thread may ask and tell.
///
/// While nothing is traced, it costs whoever could tell something one load and one branch (``isOn``).
public final class Tracer: Sendable {
    /// So many at a time.
    public static let most = 8
    /// So many events a second each trace tells; what comes beyond is counted and told as one.
    public static let eventsASecond = 500

    @usableFromInline let hasTraces = Atomic(false)
    private let state = Locked(State())

    private struct State: Sendable {
        var running: [Running] = []
        var last = 0
        var lastFollower = 0
    }

    private struct Running: Sendable {
        let trace: Trace
        var followers: [Int: Follower] = [:]
        var second: Int64 = 0
        var told = 0
        var leftOut = 0

        /// - Returns: what is to be told, with what was left out before; nothing where it is too much.
        mutating func admit(_ event: TraceEvent) -> [TraceEvent] {
            var events: [TraceEvent] = []
            let second = event.time / 1_000
            if second != self.second {
                if leftOut > 0 {
                    events.append(TraceEvent(time: event.time, name: "left_out", fields: [("events", "\(leftOut)")]))
                }
                (self.second, told, leftOut) = (second, 0, 0)
            }
            guard told < Tracer.eventsASecond else {
                leftOut += 1
                return []
            }
            told += 1
            return events + [event]
        }
    }

    /// Told each event; `nil` when the trace has ended.
    public typealias Follower = @Sendable (TraceEvent?) -> Void

    /// Nothing is traced yet.
    public init() {}

    /// Whether anything is traced.
    @inlinable
    public var isOn: Bool { hasTraces.load(ordering: .relaxed) }

    /// Those that run, the oldest first.
    public var traces: [Trace] { state.withLock { $0.running.map(\.trace) } }

    /// Begins a trace.
    /// - Parameter until: Unix milliseconds; whoever begins it sees to it that it ends.
    /// - Returns: `nil` where ``most`` run.
    public func begin(_ subject: TraceSubject, until: Int64) -> Trace? {
        state.withLock { state in
            guard state.running.count < Self.most else { return nil }
            state.last += 1
            let trace = Trace(id: "trace-\(state.last)", subject: subject, until: until)
            state.running.append(Running(trace: trace))
            hasTraces.store(true, ordering: .relaxed)
            return trace
        }
    }

    /// Ends a trace.
    /// - Returns: whether it ran.
    @discardableResult
    public func end(_ id: String) -> Bool {
        let ended = state.withLock { state -> [Follower]? in
            guard let index = state.running.firstIndex(where: { $0.trace.id == id }) else { return nil }
            let followers = Array(state.running.remove(at: index).followers.values)
            hasTraces.store(!state.running.isEmpty, ordering: .relaxed)
            return followers
        }
        for follower in ended ?? [] { follower(nil) }
        return ended != nil
    }

    /// Has somebody told what happens. Where that is told, nobody may wait.
    /// - Returns: by what it is left again; `nil` where there is no such trace.
    public func follow(_ id: String, _ follower: @escaping Follower) -> Int? {
        state.withLock { state in
            guard let index = state.running.firstIndex(where: { $0.trace.id == id }) else { return nil }
            state.lastFollower += 1
            state.running[index].followers[state.lastFollower] = follower
            return state.lastFollower
        }
    }

    /// Somebody is not told any more.
    public func leave(_ follower: Int) {
        state.withLock { state in
            for index in state.running.indices { state.running[index].followers[follower] = nil }
        }
    }

    /// Whether something about that would be told.
    public func concerns(_ object: TraceObject) -> Bool {
        state.withLock { state in state.running.contains { $0.trace.subject.includes(object) } }
    }

    /// Tells that something happened.
    public func tell(_ name: String, about object: TraceObject, at time: Int64, _ fields: [(name: String, value: String)]) {
        let event = TraceEvent(time: time, name: name, fields: fields)
        let told = state.withLock { state -> [(events: [TraceEvent], followers: [Follower])] in
            var told: [(events: [TraceEvent], followers: [Follower])] = []
            for index in state.running.indices where state.running[index].trace.subject.includes(object) {
                let events = state.running[index].admit(event)
                if !events.isEmpty { told.append((events, Array(state.running[index].followers.values))) }
            }
            return told
        }
        for (events, followers) in told {
            for follower in followers { for event in events { follower(event) } }
        }
    }
}

extension TraceSubject {
    fileprivate func includes(_ object: TraceObject) -> Bool {
        switch self {
        case .device(let token): object.device == token
        case .user(let user, let devices): object.user == user || (object.device.map(devices.contains) ?? false)
        case .app(let key): object.app == key
        case .address(let address): object.address == address
        }
    }
}
