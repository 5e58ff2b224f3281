internal import Push
internal import StoreCore

// Where devices belonged, by intervals of the log. What holds now stands in `device`; what ended, in a table of its own.

extension DeviceTable {
    /// Where a device belonged; `nil` if there never was one.
    /// - Parameter since: intervals that ended before it are left out.
    func history(of ordinal: UInt32, since: UInt64) throws(SQLiteError) -> MembershipHistory? {
        let query = try database.statement(
            """
            SELECT token, platform, org, org_since, user, user_since, test, test_since, created_seq, retired_seq
            FROM device WHERE ordinal = ?
            """)
        query.bind(1, ordinal)
        guard try query.step() else { return nil }
        let (created, retired) = (query.position(8), query.position(9))
        let (orgSince, testSince) = (query.position(3), query.position(7))
        let organisation = MembershipHistory.Interval(query.short(2), from: orgSince, to: retired)
        // A user is set once in the life of a holder: there is no earlier one.
        let user = query.optionalInt(4).map { MembershipHistory.Interval($0, from: query.position(5), to: retired) }
        let test = query.int(6) != 0 ? MembershipHistory.Interval((), from: testSince, to: retired) : nil
        let (token, platform) = (query.text(0), Platform(number: query.int(1)))
        query.reset()

        // Closed intervals: few, and none at all for a device that never changed, or not after `since`: the last of them ended
        // when what holds now began.
        let orgs = orgSince > created && orgSince > since ? try pastOrganisations(of: ordinal, since: since) : []
        let tests = testSince > created && testSince > since ? try pastTests(of: ordinal, since: since) : []
        return MembershipHistory(
            ordinal: ordinal, token: token, platform: platform, created: created, retired: retired,
            organisations: orgs + [organisation], users: user.map { [$0] } ?? [], tests: tests + (test.map { [$0] } ?? []))
    }

    private func pastOrganisations(
        of ordinal: UInt32, since: UInt64
    ) throws(SQLiteError) -> [MembershipHistory.Interval<UInt32>] {
        let query = try database.statement("SELECT from_seq, to_seq, org FROM past_org WHERE ordinal = ? AND to_seq > ?")
        query.bind(1, ordinal)
        query.bind(2, since)
        var found: [MembershipHistory.Interval<UInt32>] = []
        while try query.step() { found.append(.init(query.short(2), from: query.position(0), to: query.position(1))) }
        return found
    }

    private func pastTests(of ordinal: UInt32, since: UInt64) throws(SQLiteError) -> [MembershipHistory.Interval<Void>] {
        let query = try database.statement("SELECT from_seq, to_seq FROM past_test WHERE ordinal = ? AND to_seq > ?")
        query.bind(1, ordinal)
        query.bind(2, since)
        var found: [MembershipHistory.Interval<Void>] = []
        while try query.step() { found.append(.init((), from: query.position(0), to: query.position(1))) }
        return found
    }

    /// A device belongs elsewhere from `position` on; what held before becomes history.
    func change(
        _ ordinal: UInt32, from before: Membership, to after: Membership, at position: UInt64
    ) throws(SQLiteError) {
        if before.organisation != after.organisation {
            try endOrganisation(of: ordinal, at: position)
            let write = try database.statement("UPDATE device SET org = ?, org_since = ? WHERE ordinal = ?")
            write.bind(1, after.organisation.index)
            write.bind(2, position)
            write.bind(3, ordinal)
            try write.run()
        }
        if before.user != after.user {
            // The first assignment: there is no past to keep. Any other is a change of holder.
            let write = try database.statement("UPDATE device SET user = ?, user_since = ? WHERE ordinal = ?")
            write.bind(1, after.user?.number)
            write.bind(2, position)
            write.bind(3, ordinal)
            try write.run()
        }
        if before.test != after.test {
            if before.test { try endTest(of: ordinal, at: position) }
            let write = try database.statement("UPDATE device SET test = ?, test_since = ? WHERE ordinal = ?")
            write.bind(1, after.test ? 1 : 0)
            write.bind(2, position)
            write.bind(3, ordinal)
            try write.run()
        }
    }

    private func endOrganisation(of ordinal: UInt32, at position: UInt64) throws(SQLiteError) {
        let past = try database.statement(
            "INSERT INTO past_org(ordinal, from_seq, to_seq, org) SELECT ordinal, org_since, ?, org FROM device WHERE ordinal = ?"
        )
        past.bind(1, position)
        past.bind(2, ordinal)
        try past.run()
    }

    private func endTest(of ordinal: UInt32, at position: UInt64) throws(SQLiteError) {
        let past = try database.statement(
            "INSERT INTO past_test(ordinal, from_seq, to_seq) SELECT ordinal, test_since, ? FROM device WHERE ordinal = ?")
        past.bind(1, position)
        past.bind(2, ordinal)
        try past.run()
    }
}
