internal import Push
internal import StoreCore

/// Which signed requests have come, as long as a repeat of one would pass for in time. Writer only.
///
/// A nonce is remembered until its request's timestamp is too old to be taken, by the wall clock, and for a while more by store
/// time: a wall clock that was ahead for a moment makes nothing be forgotten. Of which times nonces were forgotten is kept:
/// should the wall clock go back to one of them, its requests are refused by their age. Times at which none came hold none to
/// repeat.
final class NonceBook {
    /// Nonces of so many milliseconds are forgotten together.
    private static let period: Int64 = 600_000
    /// For how long one is remembered at least, by store time: twice the usual window of timestamps, and some more.
    private static let leastLifetime: Int64 = 1_500_000
    /// Rows that are removed for each that comes: more than one, so that they do not become more.
    private static let removedForEach = 2
    /// Stretches of time whose nonces were forgotten. A wall clock that jumps makes another one; above so many the two oldest
    /// become one.
    private static let mostStretches = 64

    /// By the requests' own times.
    private struct Period {
        var hashes: Set<Int64> = []
        /// When one came last, by store time; `nil`: before the store was opened, which has not been looked at since.
        var touched: Int64?
    }

    private let table: NonceTable
    private var periods: [Int64: Period] = [:]
    /// Periods whose nonces were forgotten, oldest first.
    private var forgotten: [ClosedRange<Int64>]
    private var isForgottenWritten = true
    /// Those of which there may be rows.
    private var removable: [ClosedRange<Int64>]
    /// What came in this transaction.
    private var taken: [(period: Int64, hash: Int64)] = []

    init(_ table: NonceTable) throws(SQLiteError) {
        self.table = table
        forgotten = try table.forgotten()
        removable = forgotten
        try table.forEach { timestamp, hash in
            let period = timestamp / Self.period
            if !isForgotten(period) { periods[period, default: Period()].hashes.insert(hash) }
        }
    }

    /// Uses a nonce up.
    /// - Parameters:
    ///   - app: each has nonces of its own, also one that was deleted and made anew.
    ///   - now: store time.
    ///   - wall: the wall clock, in Unix milliseconds.
    /// - Throws: 2005 where it was used before; 2006 where nobody knows any more.
    func take(_ nonce: UsedNonce, of app: AppKey, at now: Int64, wall: Int64) throws {
        try forget(now, before: wall - nonce.window)
        let period = nonce.timestamp / Self.period
        guard !isForgotten(period) else {
            throw Refusal(.badTimestamp, field: "timestamp", .timestamp(.forgotten, serverTime: wall))
        }
        // Equal hashes of two nonces refuse a request that its caller may sign anew, once in 2^64.
        let hash = StableHash.of(nonce.nonce.text, of: app)
        // A repeat has the same timestamp, or its signature would be another.
        guard periods[period, default: Period()].hashes.insert(hash).inserted else {
            throw Refusal(.wrongToken, field: "authorization", .signature(.replayed))
        }
        periods[period]?.touched = now
        taken.append((period, hash))
        try table.insert(hash, of: nonce.timestamp)
    }

    private func isForgotten(_ period: Int64) -> Bool { forgotten.contains { $0.contains(period) } }

    /// - Parameter time: requests of that time are taken no more.
    private func forget(_ now: Int64, before time: Int64) throws(SQLiteError) {
        for (number, period) in periods {
            guard let touched = period.touched else {
                periods[number]?.touched = now
                continue
            }
            guard now - touched > Self.leastLifetime, (number + 1) * Self.period <= time else { continue }
            periods[number] = nil
            note(number)
        }
        if !isForgottenWritten {
            try table.write(forgotten)
            isForgottenWritten = true
        }
        guard let oldest = removable.first else { return }
        let times = oldest.lowerBound * Self.period...(oldest.upperBound + 1) * Self.period - 1
        if try table.remove(times, limit: Self.removedForEach) < Self.removedForEach { removable.removeFirst() }
    }

    private func note(_ period: Int64) {
        isForgottenWritten = false
        removable.append(period...period)
        if let index = forgotten.firstIndex(where: { $0.upperBound + 1 == period }) {
            forgotten[index] = forgotten[index].lowerBound...period
        } else {
            forgotten.append(period...period)
            forgotten.sort { $0.lowerBound < $1.lowerBound }
        }
        if forgotten.count > Self.mostStretches {
            forgotten.replaceSubrange(0...1, with: [forgotten[0].lowerBound...forgotten[1].upperBound])
        }
    }

    /// What was taken is in the file.
    func committed() { taken.removeAll(keepingCapacity: true) }

    /// The transaction was undone. What it has forgotten stays so, and is written with the next.
    func undone() {
        for (period, hash) in taken { periods[period]?.hashes.remove(hash) }
        taken.removeAll()
        isForgottenWritten = false
        removable = forgotten
    }
}
