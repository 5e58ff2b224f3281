internal import Push

/// What came and went, counted from the start.
public struct Traffic: Hashable, Sendable {
    /// Pushes that made a task.
    public var pushes: UInt64
    /// PUBLISH packets handed to connections.
    public var deliveries: UInt64
    /// PUBACKs that acknowledged a message.
    public var acknowledgements: UInt64

    /// So many of each.
    public init(pushes: UInt64 = 0, deliveries: UInt64 = 0, acknowledgements: UInt64 = 0) {
        self.pushes = pushes
        self.deliveries = deliveries
        self.acknowledgements = acknowledgements
    }

    /// Adds another loop's.
    public static func += (sum: inout Traffic, other: Traffic) {
        sum.pushes += other.pushes
        sum.deliveries += other.deliveries
        sum.acknowledgements += other.acknowledgements
    }

    /// What a loop, or all of them, have counted.
    public init(_ status: LoopStatus) {
        self.init(
            pushes: status.pushes.sum.stored, deliveries: status.devices.published,
            acknowledgements: status.devices.acknowledged)
    }
}

/// How much of each a second, by the last ten seconds and by the last minute.
public struct TrafficRates: Hashable, Sendable {
    /// So many a second.
    public struct PerSecond: Hashable, Sendable {
        /// Pushes that made a task.
        public var pushes = 0.0
        /// PUBLISH packets.
        public var deliveries = 0.0
        /// PUBACKs.
        public var acknowledgements = 0.0

        /// None.
        public init() {}

        init(from earlier: Traffic, to later: Traffic, within milliseconds: Int64) {
            func rate(_ count: KeyPath<Traffic, UInt64>) -> Double {
                let more = later[keyPath: count] &- earlier[keyPath: count]
                return milliseconds > 0 ? Double(more) * 1_000 / Double(milliseconds) : 0
            }
            pushes = rate(\.pushes)
            deliveries = rate(\.deliveries)
            acknowledgements = rate(\.acknowledgements)
        }
    }

    /// By the last ten seconds.
    public var lastTenSeconds: PerSecond
    /// By the last minute.
    public var lastMinute: PerSecond

    /// These rates.
    public init(lastTenSeconds: PerSecond = PerSecond(), lastMinute: PerSecond = PerSecond()) {
        self.lastTenSeconds = lastTenSeconds
        self.lastMinute = lastMinute
    }
}

/// Remembers what was counted during the last minute. Whoever has counted notes it every other second or so; between two notes
/// nothing is done.
public struct TrafficHistory: Sendable {
    private struct Note {
        let time: Int64
        let traffic: Traffic
    }

    /// The oldest first; the first is at least a minute old, once there is one.
    private var notes: [Note] = []

    /// Nothing was counted before.
    /// - Parameter now: in milliseconds of a clock that never jumps, as all times here.
    public init(at now: Int64) { notes = [Note(time: now, traffic: Traffic())] }

    /// So much has been counted by now.
    public mutating func note(_ traffic: Traffic, at now: Int64) {
        notes.append(Note(time: now, traffic: traffic))
        if let last = notes.lastIndex(where: { now - $0.time >= 60_000 }) { notes.removeFirst(last) }
    }

    /// How much a second, where so much has been counted by now. A server that has just started has a shorter minute.
    public func rates(of traffic: Traffic, at now: Int64) -> TrafficRates {
        func rate(since age: Int64) -> TrafficRates.PerSecond {
            let note = notes.last { now - $0.time >= age } ?? notes[0]
            return .init(from: note.traffic, to: traffic, within: now - note.time)
        }
        return TrafficRates(lastTenSeconds: rate(since: 10_000), lastMinute: rate(since: 60_000))
    }
}
