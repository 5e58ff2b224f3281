internal import Push

/// Which questions of operators are recorded: of each the first in a minute, since consoles ask the same again and again; and of
/// different ones only so many a minute, so that nobody fills the disk by asking.
struct AuditedReads {
    /// How many are recorded in a minute.
    static let most = 6_000

    private var minute: Int64 = 0
    private var seen: Set<AuditEntry> = []
    private var leftOut = 0

    /// Looks whether to record an entry.
    /// - Parameters:
    ///   - entry: of a question, or of a change that came to nothing.
    ///   - minute: by whatever clock.
    /// - Returns: whether it is to be recorded; and how many were left out in the minute before.
    mutating func admit(_ entry: AuditEntry, at minute: Int64) -> (isRecorded: Bool, leftOut: Int) {
        var leftOutBefore = 0
        if minute != self.minute {
            leftOutBefore = leftOut
            self = AuditedReads()
            self.minute = minute
        }
        let key = entry.withoutRequest
        guard !seen.contains(key) else { return (false, leftOutBefore) }
        guard seen.count < Self.most else {
            leftOut += 1
            return (false, leftOutBefore)
        }
        seen.insert(key)
        return (true, leftOutBefore)
    }
}

extension AuditEntry {
    /// What two entries of the same question have in common.
    fileprivate var withoutRequest: AuditEntry {
        AuditEntry(caller, scope: scope, client: client, requestID: nil, action, target, task: task, code: code)
    }
}
