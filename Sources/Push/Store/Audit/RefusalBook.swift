/// Counts refusals by minute until they are taken to the store. Whoever is refused chooses name and address, so that of each
/// minute only so many are told apart, and only some minutes are kept.
public struct RefusalBook: Sendable {
    /// How many are told apart in a minute; all others of it are one.
    public static let mostKeys = 1_000
    /// How many minutes are kept while nobody takes them.
    private static let mostMinutes = 10

    private var minutes: [Int64: [RefusalCount.Key: Int64]] = [:]
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
        let isTold = minutes[minute]?[key] != nil || (minutes[minute]?.count ?? 0) < Self.mostKeys
        let key = isTold ? key : RefusalCount.Key(othersOf: key.listener)
        minutes[minute, default: [:]][key, default: 0] += times
    }

    /// Counts what somebody else has counted.
    public mutating func add(_ counts: [RefusalCount]) {
        for each in counts { count(each.key, at: each.minute, times: each.count) }
    }

    /// Takes everything out, oldest first.
    public mutating func take() -> [RefusalCount] {
        defer { minutes = [:] }
        return minutes.sorted { $0.key < $1.key }.flatMap { minute, counts in
            counts.map { RefusalCount($0.key, minute: minute, count: $0.value) }
        }
    }

    private mutating func makeRoom() {
        guard minutes.count >= Self.mostMinutes, let oldest = minutes.keys.min() else { return }
        dropped += minutes.removeValue(forKey: oldest)?.values.reduce(0, +) ?? 0
    }
}
