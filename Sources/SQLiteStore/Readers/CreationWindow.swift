internal import StoreCore

/// Rows that were created in a window of the wall clock's time. Within a stretch times follow positions, so that they are found
/// by halving; over a step of the clock times may go back, so that each stretch has rows of its own.
struct CreationWindow {
    let messages: MessageTable
    /// `from` ≤ `created_at` < `to`, Unix milliseconds.
    let from: Int64?
    let to: Int64?

    /// The positions of the newest stretch that has any before `before`, and where that stretch begins.
    /// - Returns: `nil` where nothing is before it.
    func positions(before: UInt64) throws(SQLiteError) -> (found: Range<UInt64>, begin: UInt64)? {
        guard before > 1 else { return nil }
        let stretches = messages.stretches
        let index = stretches.index(of: before - 1)
        let stretch = stretches.all[index]
        // The first one stands for everything before it too.
        let begin = index == 0 ? 0 : stretch.after + 1
        guard from != nil || to != nil else { return (begin..<before, begin) }
        let low = try from.map { from throws(SQLiteError) in try first(from, begin..<before, stretch) } ?? begin
        let high = try to.map { to throws(SQLiteError) in try first(to, low..<before, stretch) } ?? before
        return (low..<high, begin)
    }

    /// The first of these positions whose row was created at that time of day or later.
    private func first(_ time: Int64, _ positions: Range<UInt64>, _ stretch: Stretch) throws(SQLiteError) -> UInt64 {
        let written = time.subtractingReportingOverflow(stretch.offset + stretch.shift)
        if written.overflow { return time < 0 ? positions.lowerBound : positions.upperBound }
        return try messages.firstPosition(
            writtenAtOrAfter: written.partialValue, from: positions.lowerBound, below: positions.upperBound)
    }
}
