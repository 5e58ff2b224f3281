internal import Push

/// Adds up refusals by minute. Whoever is refused chooses name and address, so that only so many are told apart in a minute and
/// in a day, and the rest is summed up. Writer only.
final class RefusalCounter {
    private static let minutesOfDay: Int64 = 1_440

    private let table: RefusalTable
    private let time: Timekeeper

    init(_ table: RefusalTable, _ time: Timekeeper) {
        self.table = table
        self.time = time
    }

    func count(_ counts: [RefusalCount]) throws(SQLiteError) {
        var ofMinute: [Int64: Int] = [:]
        var ofDay: [Int64: Int] = [:]
        for count in counts {
            guard count.key.code != nil, try !table.contains(count) else {
                try table.add(count, ahead: time.offset)
                continue
            }
            let (minute, day) = (count.minute, count.minute / Self.minutesOfDay)
            if ofMinute[minute] == nil { ofMinute[minute] = try table.keys(in: minute..<minute + 1) }
            if ofDay[day] == nil { ofDay[day] = try table.keys(in: day * Self.minutesOfDay..<(day + 1) * Self.minutesOfDay) }
            let hasRoom = ofMinute[minute, default: 0] < RefusalBook.mostKeys && ofDay[day, default: 0] < RefusalTable.mostOfDay
            if hasRoom {
                ofMinute[minute, default: 0] += 1
                ofDay[day, default: 0] += 1
            }
            let key = hasRoom ? count.key : RefusalCount.Key(othersOf: count.key.listener)
            try table.add(RefusalCount(key, minute: count.minute, count: count.count), ahead: time.offset)
        }
    }
}
