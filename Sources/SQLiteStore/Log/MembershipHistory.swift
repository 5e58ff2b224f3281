internal import Push

/// Where a device belonged, and when: its intervals of the log.
struct MembershipHistory {
    /// Something held for positions strictly between `from` and `to`.
    struct Interval<Value> {
        let value: Value
        let from: UInt64
        let to: UInt64
        func contains(_ seq: UInt64) -> Bool { from < seq && seq < to }
    }

    let ordinal: UInt32
    let token: String
    let platform: Platform
    let created: UInt64
    let retired: UInt64
    /// Oldest first; the last is the current one.
    let organisations: [Interval<UInt32>]
    let users: [Interval<Int64>]
    let tests: [Interval<Void>]

    func organisation(at seq: UInt64) -> UInt32? { organisations.first { $0.contains(seq) }?.value }

    /// Where the device belonged at a position; `nil` where it was not registered.
    func membership(at seq: UInt64) -> Membership? { membership(at: seq) { $0.contains(seq) } }

    /// The same, for what was pushed at `seq` and is still to come: a push for test devices is withdrawn from one that is set back.
    func lastingMembership(since seq: UInt64) -> Membership? {
        membership(at: seq) { $0.contains(seq) && $0.to == Schema.forever }
    }

    private func membership(at seq: UInt64, isTest: (Interval<Void>) -> Bool) -> Membership? {
        guard let org = organisation(at: seq) else { return nil }
        return Membership(
            organisation: OrgHandle(index: org),
            user: users.first { $0.contains(seq) }.map { UserHandle(raw: UInt64($0.value)) }, platform: platform,
            test: tests.contains(where: isTest))
    }

    /// What a loop has to know, as of just after `position`.
    func membership(after position: UInt64) -> Membership {
        // The state that holds for the next position to come.
        let next = position + 1
        let org = organisations.first { $0.from < next && next <= $0.to }?.value ?? organisations.last?.value ?? 0
        let user = users.first { $0.from < next && next <= $0.to }?.value
        return Membership(
            organisation: OrgHandle(index: org), user: user.map { UserHandle(raw: UInt64($0)) }, platform: platform,
            test: tests.contains { $0.from < next && next <= $0.to })
    }
}

/// Reads histories and the tree's past from one snapshot.
struct HistoryReader {
    let database: Database
    /// Where devices are looked at as of one moment, one after the other.
    var cache: Moment?

    /// - Parameter since: intervals that ended before it are left out.
    func history(of ordinal: UInt32, since: UInt64) throws(SQLiteError) -> MembershipHistory? {
        let query = try database.statement(
            """
            SELECT token, platform, org, org_since, user, user_since, test, test_since, created_seq, retired_seq
            FROM device WHERE ordinal = ?
            """)
        query.bind(1, ordinal)
        guard try query.step() else { return nil }
        let retired = query.position(9)
        let organisation = MembershipHistory.Interval(
            value: UInt32(truncatingIfNeeded: query.int(2)), from: query.position(3), to: retired)
        let (userSince, testSince) = (query.position(5), query.position(7))
        let user = query.optionalInt(4).map { MembershipHistory.Interval(value: $0, from: userSince, to: retired) }
        let test = query.int(6) != 0 ? MembershipHistory.Interval(value: (), from: testSince, to: retired) : nil
        let token = query.text(0)
        let platform: Platform = query.int(1) == 0 ? .android : .ios
        let created = query.position(8)
        query.reset()

        // Closed intervals: few, and none at all for a device that never changed, or not after `since`: the last of them ended when
        // what holds now began.
        func hasPast(_ begin: UInt64) -> Bool { begin > created && begin > since }
        let orgs =
            try hasPast(organisation.from)
            ? past("SELECT from_seq, to_seq, org FROM past_org WHERE ordinal = ?", ordinal, since) {
                UInt32(truncatingIfNeeded: $0)
            } : []
        let users =
            try hasPast(userSince)
            ? past("SELECT from_seq, to_seq, user FROM past_user WHERE ordinal = ?", ordinal, since) { $0 } : []
        let tests =
            try hasPast(testSince)
            ? past("SELECT from_seq, to_seq, 0 FROM past_test WHERE ordinal = ?", ordinal, since) { _ in () } : []
        return MembershipHistory(
            ordinal: ordinal, token: token, platform: platform, created: created, retired: retired,
            organisations: orgs + [organisation], users: users + (user.map { [$0] } ?? []),
            tests: tests + (test.map { [$0] } ?? []))
    }

    private func past<Value>(
        _ sql: StaticString, _ ordinal: UInt32, _ since: UInt64, _ value: (Int64) -> Value
    ) throws(SQLiteError) -> [MembershipHistory.Interval<Value>] {
        let query = try database.statement(sql)
        query.bind(1, ordinal)
        var intervals: [MembershipHistory.Interval<Value>] = []
        while try query.step() {
            guard query.position(1) > since else { continue }
            intervals.append(.init(value: value(query.int(2)), from: query.position(0), to: query.position(1)))
        }
        return intervals
    }

    /// An organisation and what was above it, each with the positions for which that held, within `from`..`to`.
    ///
    /// Each interval holds for at least one position, at which the tree has no cycle: so this ends.
    func ancestry(of org: UInt32, from: UInt64, to: UInt64) throws(SQLiteError) -> [MembershipHistory.Interval<UInt32>] {
        var found = [MembershipHistory.Interval(value: org, from: from, to: to)]
        var next = 0
        while next < found.count {
            let below = found[next]
            next += 1
            for parent in try parents(of: below.value) {
                let low = max(below.from, parent.from)
                let high = min(below.to, parent.to)
                guard low + 1 < high else { continue }
                found.append(.init(value: parent.value, from: low, to: high))
            }
        }
        return found
    }

    /// What an organisation was ever directly below.
    private func parents(of org: UInt32) throws(SQLiteError) -> [MembershipHistory.Interval<UInt32>] {
        if let known = cache?.parents[org] { return known }
        let query = try database.statement(
            "SELECT parent, from_seq, to_seq FROM org_parent WHERE org = ? AND parent IS NOT NULL")
        query.bind(1, org)
        var found: [MembershipHistory.Interval<UInt32>] = []
        while try query.step() {
            found.append(
                .init(value: UInt32(truncatingIfNeeded: query.int(0)), from: query.position(1), to: query.position(2)))
        }
        cache?.parents[org] = found
        return found
    }

    /// Whether `org` was `ancestor` or below it at `seq`.
    func isBelow(_ org: UInt32, _ ancestor: UInt32, at seq: UInt64) throws(SQLiteError) -> Bool {
        let query = try database.statement("SELECT parent FROM org_parent WHERE org = ? AND from_seq < ? AND to_seq > ?")
        var current = org
        while current != ancestor {
            query.bind(1, current)
            query.bind(2, seq)
            query.bind(3, seq)
            guard try query.step() else { return false }
            defer { query.reset() }
            guard let parent = query.optionalInt(0) else { return false }
            current = UInt32(truncatingIfNeeded: parent)
        }
        return true
    }

    /// `org` and everything that was below it at `seq`, in the order of their numbers.
    func subtree(of org: UInt32, at seq: UInt64) throws(SQLiteError) -> [UInt32] {
        var found: Set<UInt32> = [org]
        var frontier = [org]
        while let next = frontier.popLast() {
            let query = try database.statement(
                "SELECT org FROM org_parent WHERE parent = ? AND from_seq < ? AND to_seq > ?")
            query.bind(1, next)
            query.bind(2, seq)
            query.bind(3, seq)
            while try query.step() {
                let child = UInt32(truncatingIfNeeded: query.int(0))
                if found.insert(child).inserted { frontier.append(child) }
            }
        }
        return found.sorted()
    }
}
