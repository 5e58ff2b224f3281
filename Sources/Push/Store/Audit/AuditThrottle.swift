/// Which entries are recorded of what changes nothing: questions, and what is refused. Of each the first in a minute, since
/// consoles ask the same again and again; and of different ones only so many of each caller in a minute and in a day, so that
/// nobody fills the disk by asking, nor hides by it what somebody else asks. Questions and refused changes have a room each.
public struct AuditThrottle: Sendable {
    /// How many of a caller's questions, and of its refused changes, are recorded in a minute.
    public static let mostOfMinute = 600
    /// The same for a day.
    public static let mostOfDay = 10_000
    private static let minutesOfDay: Int64 = 1_440

    /// What has a room of its own.
    private struct Source: Hashable {
        let caller: AuditEntry.Caller
        let isRead: Bool

        init(_ entry: AuditEntry) {
            caller = entry.caller
            isRead = entry.action.isRead
        }
    }

    private var minute: Int64 = 0
    private var seen: Set<AuditEntry> = []
    private var ofMinute: [Source: Int] = [:]
    private var ofDay: [Source: Int] = [:]
    private var leftOut = 0

    /// Nothing recorded yet.
    public init() {}

    /// Looks whether to record an entry, and takes it that it is.
    /// - Parameters:
    ///   - entry: of a question, or of a change that was refused or came to nothing.
    ///   - minute: by whatever clock.
    public mutating func admit(_ entry: AuditEntry, at minute: Int64) -> Bool {
        turn(to: minute)
        let key = entry.withoutRequest
        guard !seen.contains(key) else { return false }
        let source = Source(entry)
        guard ofMinute[source, default: 0] < Self.mostOfMinute, ofDay[source, default: 0] < Self.mostOfDay else {
            leftOut += 1
            return false
        }
        seen.insert(key)
        ofMinute[source, default: 0] += 1
        ofDay[source, default: 0] += 1
        return true
    }

    /// One that was admitted could not be written: the next one like it is the first.
    public mutating func forget(_ entry: AuditEntry) { seen.remove(entry.withoutRequest) }

    /// Whether any found no room since the last time.
    public var hasLeftOut: Bool { leftOut > 0 }

    /// How many different ones found no room since the last time.
    public mutating func takeLeftOut() -> Int {
        defer { leftOut = 0 }
        return leftOut
    }

    private mutating func turn(to minute: Int64) {
        guard minute != self.minute else { return }
        if minute / Self.minutesOfDay != self.minute / Self.minutesOfDay { ofDay = [:] }
        self.minute = minute
        (seen, ofMinute) = ([], [:])
    }
}

extension AuditEntry {
    /// What two entries of the same call have in common.
    fileprivate var withoutRequest: AuditEntry {
        AuditEntry(caller, scope: scope, client: client, requestID: nil, action, target, task: task, code: code)
    }
}
