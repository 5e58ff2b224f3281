internal import Push

/// Adds up refusals by minute. Whoever is refused chooses name and address, so that only so many are told apart in a minute and
/// in a day, and the rest is summed up. Writer only.
final class RefusalCounter {
    private static let minutesOfDay: Int64 = 1_440

    private struct Span: Hashable {
        let listener: RefusalListener
        let minutes: Range<Int64>
    }

    private let table: RefusalTable
    private let time: Timekeeper

    init(_ table: RefusalTable, _ time: Timekeeper) {
        self.table = table
        self.time = time
    }

    func count(_ counts: [RefusalCount]) throws(SQLiteError) {
        var room: [Span: Int] = [:]
        for count in counts {
            guard count.key.code != nil, try !table.contains(count) else {
                try table.add(count, ahead: time.offset)
                continue
            }
            let (listener, day) = (count.key.listener, count.minute / Self.minutesOfDay)
            let minute = Span(listener: listener, minutes: count.minute..<count.minute + 1)
            let wholeDay = Span(listener: listener, minutes: day * Self.minutesOfDay..<(day + 1) * Self.minutesOfDay)
            for (span, most) in [(minute, RefusalBook.mostKeys), (wholeDay, RefusalTable.mostOfDay)] where room[span] == nil {
                room[span] = most - (try table.keys(of: listener, in: span.minutes))
            }
            let hasRoom = room[minute, default: 0] > 0 && room[wholeDay, default: 0] > 0
            if hasRoom {
                room[minute, default: 0] -= 1
                room[wholeDay, default: 0] -= 1
            }
            let key = hasRoom ? count.key : RefusalCount.Key(othersOf: count.key.listener)
            try table.add(RefusalCount(key, minute: count.minute, count: count.count), ahead: time.offset)
        }
    }
}
