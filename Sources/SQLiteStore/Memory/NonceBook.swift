internal import Push
internal import StoreCore

/// Which signed requests have come, as long as a repeat of one would pass for in time. Writer only.
///
/// A nonce is remembered until its request's timestamp is too old to be taken, by the wall clock, and for a while more by store
/// time: a wall clock that was ahead for a moment makes nothing be forgotten. And what was forgotten stays refused by its age,
/// should the wall clock go back to it.
final class NonceBook {
    /// Nonces of so many milliseconds are forgotten together.
    private static let period: Int64 = 600_000
    /// For how long one is remembered at least, by store time: twice the window in which timestamps are taken, and some more.
    private static let leastLifetime: Int64 = 1_500_000
    /// Rows that are removed for each that comes: more than one, so that they do not become more.
    private static let removedForEach = 2

    private struct Period {
        var hashes: Set<Int64> = []
        /// When one came last, by store time; `nil`: before the store was opened, which has not been looked at since.
        var touched: Int64?
    }

    private let tables: Tables
    private var periods: [Int64: Period] = [:]
    private var forgotten: Int64 = .min
    /// What came in this transaction.
    private var taken: [(period: Int64, hash: Int64)] = []

    init(_ tables: Tables) throws(SQLiteError) {
        self.tables = tables
        forgotten = try tables.meta.number(.noncesForgotten) ?? .min
        try tables.nonces.forEach(after: forgotten) { until, hash in
            periods[until / Self.period, default: Period()].hashes.insert(hash)
        }
    }

    /// Uses a nonce up.
    /// - Parameters:
    ///   - app: its number: each has nonces of its own.
    ///   - now: store time.
    ///   - wall: the wall clock, in Unix milliseconds.
    /// - Throws: 2005 where it was used before; 2006 where nobody knows any more.
    func take(_ nonce: UsedNonce, of app: Int64, at now: Int64, wall: Int64) throws {
        try forget(now, wall)
        guard nonce.validUntil > forgotten else {
            throw Refusal(.badTimestamp, field: "timestamp", .timestamp(.forgotten, serverTime: wall))
        }
        // Equal hashes of two nonces refuse a request that its caller may sign anew, once in 2^64.
        let hash = StableHash.of("\(app) \(nonce.nonce.text)")
        let period = nonce.validUntil / Self.period
        // A repeat has the same timestamp, or its signature would be another.
        guard periods[period, default: Period()].hashes.insert(hash).inserted else {
            throw Refusal(.wrongToken, field: "authorization", .signature(.replayed))
        }
        periods[period]?.touched = now
        taken.append((period, hash))
        try tables.nonces.insert(hash, until: nonce.validUntil)
    }

    private func forget(_ now: Int64, _ wall: Int64) throws(SQLiteError) {
        for (number, period) in periods {
            guard let touched = period.touched else {
                periods[number]?.touched = now
                continue
            }
            guard now - touched > Self.leastLifetime else { continue }
            let end = (number + 1) * Self.period - 1
            guard end < wall else { continue }
            periods[number] = nil
            guard end > forgotten else { continue }
            forgotten = end
            try tables.meta.write(.noncesForgotten, end)
        }
        try tables.nonces.remove(through: forgotten, limit: Self.removedForEach)
    }

    /// What was taken is in the file.
    func committed() { taken.removeAll(keepingCapacity: true) }

    /// The transaction was undone. What it has forgotten stays so: it is refused by its age.
    func undone() {
        for (period, hash) in taken { periods[period]?.hashes.remove(hash) }
        taken.removeAll()
    }
}
