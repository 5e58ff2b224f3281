internal import Base
internal import Push

/// How much each app has pushed, where that is bounded. What was pushed in a second lives in memory, and what was pushed in a day
/// in the file as well, written with the pushes. Writer only.
final class QuotaBook {
    /// What an app has left of a second, in thousandths of a push.
    private struct Bucket {
        var level: Int64
        /// When it was filled last, by store time.
        var filled: Int64
    }

    private struct Day {
        /// Since 1970-01-01 in UTC.
        var number: Int64
        var pushes: Int64
    }

    private let table: QuotaTable
    private let usual: PushQuota
    private var buckets: [Int64: Bucket] = [:]
    private var days: [Int64: Day] = [:]
    /// What this transaction has taken of the buckets.
    private var taken: [Int64: Int64] = [:]
    /// Apps whose day the file does not tell yet.
    private var changed: Set<Int64> = []

    /// - Parameter usual: of apps that have none of their own.
    init(_ table: QuotaTable, usual: PushQuota) { (self.table, self.usual) = (table, usual) }

    /// What holds for an app; `nil` where nothing is bounded, as is usual.
    func quota(of app: App) -> PushQuota? {
        let quota = usual.overridden(by: app.quota)
        return quota.perSecond == nil && quota.perDay == nil ? nil : quota
    }

    /// Looks whether one more push may come, and takes it from what is left of the second.
    /// - Parameters:
    ///   - isTaken: whether it does come.
    ///   - app: its number.
    ///   - now: store time.
    ///   - wall: the wall clock, Unix milliseconds.
    /// - Throws: 2301.
    func take(_ app: Int64, _ quota: PushQuota, at now: Int64, wall: Int64, isTaken: Bool = true) throws {
        if let most = quota.perDay, try today(app, wall).pushes >= Int64(most) {
            let length = UTCTime.day
            throw Refusal(.rateLimited, .overQuota(.perDay(most), retryAfter: length - wall % length))
        }
        guard let rate = quota.perSecond else { return }
        let full = Int64(rate) * 1_000
        var bucket = buckets[app] ?? Bucket(level: full, filled: now)
        // A rate that was lowered holds at once. Of a time that has stood still for long no more than a second counts.
        bucket.level = min(full, bucket.level + min(max(0, now - bucket.filled), 1_000) * Int64(rate))
        bucket.filled = now
        let lacking = 1_000 - bucket.level
        if lacking <= 0, isTaken {
            bucket.level -= 1_000
            taken[app, default: 0] += 1_000
        }
        buckets[app] = bucket
        if lacking > 0 { throw Refusal(.rateLimited, .overQuota(.perSecond(rate), retryAfter: (lacking - 1) / Int64(rate) + 1)) }
    }

    /// A push was stored.
    func stored(_ app: Int64, _ quota: PushQuota, wall: Int64) throws(SQLiteError) {
        guard quota.perDay != nil else { return }
        var day = try today(app, wall)
        day.pushes += 1
        days[app] = day
        changed.insert(app)
    }

    private func today(_ app: Int64, _ wall: Int64) throws(SQLiteError) -> Day {
        let number = wall / UTCTime.day
        if days[app] == nil, let (written, pushes) = try table.day(of: app) { days[app] = Day(number: written, pushes: pushes) }
        // A clock that goes back over midnight gives no day a second time; one that was days ahead does not hold it up.
        guard let day = days[app], day.number == number || day.number == number + 1 else { return Day(number: number, pushes: 0) }
        return day
    }

    /// Before a commit.
    func write() throws(SQLiteError) {
        for app in changed {
            guard let day = days[app] else { continue }
            try table.write(app, day: day.number, pushes: day.pushes)
        }
    }

    /// What was pushed is in the file.
    func committed() {
        changed.removeAll(keepingCapacity: true)
        taken.removeAll(keepingCapacity: true)
    }

    /// The transaction was undone: what it counted is read again, and what it took is given back.
    func undone() {
        for (app, level) in taken { buckets[app]?.level += level }
        taken.removeAll()
        for app in changed { days[app] = nil }
        changed.removeAll()
    }
}
