/// Counts refusals by minute until they are taken to the store. Whoever is refused chooses name and address, so that of each
/// minute only so many are told apart, and only some minutes are kept.
public struct RefusalBook: Sendable {
    /// How many of each listener are told apart in a minute; all others of it are one. Of each, so that nobody hides by a flood
    /// of callers who is refused as an operator.
    public static let mostKeys = 1_000
    /// How many minutes are kept while nobody takes them.
    private static let mostMinutes = 10

    private struct Minute {
        var counts: [RefusalCount.Key: Int64] = [:]
        var keys: [RefusalListener: Int] = [:]
    }

    private var minutes: [Int64: Minute] = [:]
    /// Refusals that were dropped with their minutes.
    public private(set) var dropped: Int64 = 0

    /// Nothing counted yet.
    public init() {}

    /// Whether there is anything.
    public var isEmpty: Bool { minutes.isEmpty }

    /// Counts so many.
    /// - Parameter minute: by store time.
    public mutating func count(_ key: RefusalCount.Key, at minute: Int64, times: Int64 = 1) {
        if minutes[minute] == nil { makeRoom() }
        var key = key
        if minutes[minute]?.counts[key] == nil {
            let keys = minutes[minute]?.keys[key.listener] ?? 0
            if keys < Self.mostKeys {
                minutes[minute, default: Minute()].keys[key.listener] = keys + 1
            } else {
                key = RefusalCount.Key(othersOf: key.listener)
            }
        }
        minutes[minute, default: Minute()].counts[key, default: 0] += times
    }

    /// Counts what somebody else has counted.
    public mutating func add(_ counts: [RefusalCount]) {
        for each in counts { count(each.key, at: each.minute, times: each.count) }
    }

    /// Takes everything out, oldest first.
    public mutating func take() -> [RefusalCount] {
        defer { minutes = [:] }
        return minutes.sorted { $0.key < $1.key }.flatMap { number, minute in
            minute.counts.map { RefusalCount($0.key, minute: number, count: $0.value) }
        }
    }

    private mutating func makeRoom() {
        guard minutes.count >= Self.mostMinutes, let oldest = minutes.keys.min() else { return }
        dropped += minutes.removeValue(forKey: oldest)?.counts.values.reduce(0, +) ?? 0
    }
}
