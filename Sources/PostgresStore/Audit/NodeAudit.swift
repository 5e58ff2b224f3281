internal import Base
internal import Push

/// Entries of the audit log that nobody waits for, and which refusals have one: what this node remembers until it is written.
struct NodeAudit {
    /// How many are remembered while nothing can be written.
    private static let most = 4_096
    /// How many go in one call.
    private static let atATime = 100
    /// After how long an entry tells how many refusals found no room, in nanoseconds.
    private static let leftOutTime: Int64 = 60_000_000_000

    private let node: NodeName
    private var waiting: [AuditLine] = []
    /// Which refusals have an entry.
    private var refused = AuditThrottle()
    /// Since when there are some that have found no room.
    private var leftOutSince: Int64 = 0
    /// How many are missing of which no entry tells yet.
    private var lost = 0

    init(at node: NodeName) { self.node = node }

    var isEmpty: Bool { waiting.isEmpty && lost == 0 }

    /// - Returns: whether there was room.
    mutating func record(_ line: AuditLine) -> Bool {
        guard waiting.count < Self.most else {
            lose(1)
            return false
        }
        waiting.append(line)
        return true
    }

    /// So many will never be written.
    mutating func lose(_ count: Int) { lost += count }

    /// Whether a call that is refused, or changes nothing, has an entry: see ``AuditThrottle``.
    /// - Parameter minute: of store time.
    mutating func admits(_ entry: AuditEntry, at minute: Int64) -> Bool {
        let hadLeftOut = refused.hasLeftOut
        let isAdmitted = refused.admit(entry, at: minute)
        if !hadLeftOut, refused.hasLeftOut { leftOutSince = MonotonicClock.nanoseconds }
        return isAdmitted
    }

    /// Has those that found no room told with the others that are missing.
    /// - Parameter atOnce: whether or not it is time.
    /// - Returns: how many.
    mutating func loseLeftOut(atOnce: Bool) -> Int {
        guard refused.hasLeftOut, atOnce || MonotonicClock.nanoseconds >= leftOutSince + Self.leftOutTime else { return 0 }
        let count = refused.takeLeftOut()
        lose(count)
        return count
    }

    /// What one call writes; they are remembered until that is done.
    struct Batch {
        let lines: [AuditLine]
        fileprivate let lost: Int
        var isEmpty: Bool { lines.isEmpty }
        /// Those that were recorded, without the one that tells how many are missing.
        var recorded: Int { lines.count - (lost > 0 ? 1 : 0) }
    }

    func nextBatch(atMost limit: Int = atATime) -> Batch {
        var lines = Array(waiting.prefix(limit))
        // After all that wait: it stands for what came last.
        let tells = lost > 0 && lines.count == waiting.count
        if tells { lines.append(AuditLine(of: .lost(lost), at: node)) }
        return Batch(lines: lines, lost: tells ? lost : 0)
    }

    mutating func wrote(_ batch: Batch) {
        waiting.removeFirst(batch.recorded)
        lost -= batch.lost
    }

    /// The first of them cannot be written, now or ever.
    mutating func giveUp(_ batch: Batch) {
        waiting.removeFirst(batch.recorded)
        lose(batch.recorded)
    }
}
