internal import Push

/// The ring of recent rows of one lane: what a session that has fallen behind a little is served from without asking the store.
///
/// Rows of one target are chained, newest first, so that nobody scans the ring; rows of one task too, so that its end marks
/// them all.
struct RecentRows {
    private let capacity: Int
    private var bytes = 0
    private var entries: [RecentRow] = []
    /// Where in ``entries`` the oldest is; what is before it has left the ring.
    private var dropped = 0
    /// The number of the entry at index 0.
    private var base = 0
    private var newestOfTarget: [RowTarget: Int] = [:]
    private var newestOfTask: [TaskID: Int] = [:]

    /// Every row after this position is here.
    private(set) var start: Position

    /// - Parameter capacity: in bytes, the payloads and an estimate of the rest.
    init(capacity: Int, start: Position) {
        self.capacity = capacity
        self.start = start
    }

    /// The number of the oldest row here.
    var firstNumber: Int { base + dropped }

    subscript(number: Int) -> RecentRow { entries[number - base] }

    /// Adds the newest row; the oldest leave when there is no room.
    /// - Returns: its number; numbers grow by one.
    mutating func append(_ row: Row, recipients: Subtree?, within: Subtree?) -> Int {
        let number = base + entries.count
        entries.append(
            RecentRow(
                row: row, recipients: recipients, within: within,
                olderOfTarget: newestOfTarget.updateValue(number, forKey: row.target) ?? -1,
                olderOfTask: newestOfTask.updateValue(number, forKey: row.task) ?? -1))
        bytes += Self.size(of: row)
        while bytes > capacity, firstNumber < number { dropOldest() }
        return number
    }

    /// Marks all rows of a task: none is offered any more.
    mutating func markEnded(_ task: TaskID) {
        var number = newestOfTask[task] ?? -1
        while number >= firstNumber {
            entries[number - base].hasEnded = true
            number = entries[number - base].olderOfTask
        }
    }

    /// Whether the row at that position is here and its task has ended.
    func hasEnded(at position: Position) -> Bool {
        guard position > start else { return false }
        var low = dropped
        var high = entries.count
        while low < high {
            let middle = (low + high) / 2
            if entries[middle].row.position < position { low = middle + 1 } else { high = middle }
        }
        return low < entries.count && entries[low].row.position == position && entries[low].hasEnded
    }

    /// Appends to `found` the numbers of the rows to `target` after `position`, newest first.
    /// - Returns: false when there are more than `limit`.
    func collect(_ target: RowTarget, after position: Position, limit: Int, into found: inout [Int]) -> Bool {
        var number = newestOfTarget[target] ?? -1
        var left = limit
        while number >= firstNumber, entries[number - base].row.position > position {
            guard left > 0 else { return false }
            left -= 1
            found.append(number)
            number = entries[number - base].olderOfTarget
        }
        return true
    }

    private mutating func dropOldest() {
        let entry = entries[dropped]
        let number = firstNumber
        bytes -= Self.size(of: entry.row)
        start = entry.row.position
        if let index = newestOfTarget.index(forKey: entry.row.target), newestOfTarget[index].value == number {
            newestOfTarget.remove(at: index)
        }
        if let index = newestOfTask.index(forKey: entry.row.task), newestOfTask[index].value == number {
            newestOfTask.remove(at: index)
        }
        dropped += 1
        // The dropped ones still hold their rows: let go of them before they are a quarter of the ring.
        if dropped >= 64, dropped * 4 > entries.count {
            entries.removeFirst(dropped)
            base += dropped
            dropped = 0
        }
    }

    /// The payload, and about what the row, its entry and its places in two dictionaries take.
    private static func size(of row: Row) -> Int { row.payload.count + 320 }
}

/// A row as of its application.
final class RecentRow {
    let row: Row
    /// Whom a row to an organisation addressed, when it was applied.
    private let recipients: Subtree?
    /// Inside which organisation a row to a user stays.
    private let within: Subtree?
    /// The numbers of the next older row of the same target and of the same task; -1 is none.
    fileprivate let olderOfTarget: Int
    fileprivate let olderOfTask: Int
    /// Nothing of it is handed to a connection any more.
    fileprivate(set) var hasEnded = false

    fileprivate init(row: Row, recipients: Subtree?, within: Subtree?, olderOfTarget: Int, olderOfTask: Int) {
        self.row = row
        self.recipients = recipients
        self.within = within
        self.olderOfTarget = olderOfTarget
        self.olderOfTask = olderOfTask
    }

    /// Whether it is for a device with that membership.
    func concerns(_ device: DeviceHandle, _ membership: Membership) -> Bool {
        row.target.includes(device, membership) { organisation, _ in recipients?.contains(organisation) ?? false }
            && row.audience.standing(of: membership) { organisation, _ in within?.contains(organisation) ?? false } == .recipient
    }
}
