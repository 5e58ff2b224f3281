internal import StoreCore

/// Has the sums by tag and hour follow the log, a slice at a time, each a transaction of its own. A store of an earlier version
/// begins with nothing summed, and is of use from the first moment: what is not summed is looked at task by task.
final class Summing {
    private let tables: Tables
    /// Every task up to there is summed, as far as this knows.
    private(set) var upTo: UInt64

    /// Up to where the file tells it: tasks without a tag are no reason to write.
    private var written: UInt64

    /// Rows that one slice takes, about 2 ms; and how far the file may be behind, which a start looks through again.
    private static let slice = 1_024
    private static let farthest: UInt64 = 65_536
    private static let expiries = 128

    init(_ tables: Tables) throws(SQLiteError) {
        self.tables = tables
        written = try tables.totals.upTo()
        upTo = written
    }

    /// Sums a slice of the log, and of what has expired.
    /// - Parameters:
    ///   - head: the newest position; all up to there is committed.
    ///   - now: store time.
    /// - Returns: whether there is more to do at once.
    func advance(to head: UInt64, at now: Int64) throws(SQLiteError) -> Bool {
        let isDue = try tables.totals.hasDue(at: now)
        guard upTo < head || isDue else { return false }
        let end = upTo < head ? try tables.messages.position(after: upTo, count: Self.slice) ?? head : head
        let hasTasks = upTo < end ? try tables.totals.last(after: upTo, upTo: end) != nil : false
        let isFar = end >= written + Self.farthest
        if hasTasks || isDue || isFar {
            let database = tables.database
            try database.begin()
            do throws(SQLiteError) {
                let stretches = tables.messages.stretches
                if hasTasks || isFar { try tables.totals.extend(from: upTo, to: end, stretches) }
                if isDue { _ = try tables.totals.expire(at: now, limit: Self.expiries, stretches) }
                try database.commit()
            } catch {
                try database.rollback()
                throw error
            }
            if hasTasks || isFar { written = end }
        }
        upTo = end
        if end < head { return true }
        return isDue ? try tables.totals.hasDue(at: now) : false
    }
}
