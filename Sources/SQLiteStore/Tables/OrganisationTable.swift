internal import Push
internal import StoreCore

/// `org` and `org_parent`: every organisation that there ever was, and what each was directly below, by intervals of the log.
final class OrganisationTable {
    private let database: Database

    init(_ database: Database) { self.database = database }

    // MARK: As it is now

    /// The tree of those that were not removed.
    /// - Parameter given: the highest number that was ever given out, as far as it is noted.
    func tree(given: Int64) throws(SQLiteError) -> OrgTree {
        var nodes: [(node: OrgTree.Node, own: OrgTree.Tally)] = []
        let query = try database.statement(
            "SELECT org, org_id, name, android, ios, test_android, test_ios FROM org WHERE removed = 0")
        while try query.step() {
            var own = OrgTree.Tally()
            own.android = Int(query.int(3))
            own.ios = Int(query.int(4))
            own.testAndroid = Int(query.int(5))
            own.testIOS = Int(query.int(6))
            nodes.append(
                (OrgTree.Node(org: query.short(0), id: OrgID(unchecked: query.text(1)), name: query.text(2)), own))
        }
        var parents: [(child: UInt32, parent: UInt32)] = []
        let edges = try database.statement("SELECT org, parent FROM org_parent WHERE to_seq = ? AND parent IS NOT NULL")
        edges.bind(1, MembershipHistory.forever)
        while try edges.step() { parents.append((edges.short(0), edges.short(1))) }
        let highest = max(given, try database.number("SELECT max(org) FROM org") ?? 0)
        return OrgTree(nodes, parents: parents, nextOrg: UInt32(truncatingIfNeeded: highest + 1))
    }

    /// Those that were not removed, in the order of their numbers.
    func page(after first: Int64, limit: Int) throws(SQLiteError) -> [UInt32] {
        let query = try database.statement("SELECT org FROM org WHERE org > ? AND removed = 0 ORDER BY org LIMIT ?")
        query.bind(1, first)
        query.bind(2, limit)
        var found: [UInt32] = []
        while try query.step() { found.append(query.short(0)) }
        return found
    }

    /// The organisation's number; `nil` if there is no such organisation now.
    func number(of id: OrgID) throws(SQLiteError) -> Int64? {
        let query = try database.statement("SELECT org FROM org WHERE org_id = ? AND removed = 0")
        query.bind(1, id.text)
        guard try query.step() else { return nil }
        defer { query.reset() }
        return query.int(0)
    }

    /// Every number that the name ever had: what was removed, or made anew, still has tasks.
    func numbers(everOf id: OrgID) throws(SQLiteError) -> Set<Int64> {
        let query = try database.statement("SELECT org FROM org WHERE org_id = ?")
        query.bind(1, id.text)
        var found: Set<Int64> = []
        while try query.step() { found.insert(query.int(0)) }
        return found
    }

    /// An organisation's name by its number, also of one that was removed.
    func id(of org: Int64) throws(SQLiteError) -> OrgID? {
        let query = try database.statement("SELECT org_id FROM org WHERE org = ?")
        query.bind(1, org)
        guard try query.step() else { return nil }
        defer { query.reset() }
        return OrgID(unchecked: query.text(0))
    }

    // MARK: Changes

    func insert(_ org: UInt32, _ id: OrgID, name: String) throws(SQLiteError) {
        let insert = try database.statement("INSERT INTO org(org, org_id, name) VALUES(?, ?, ?)")
        insert.bind(1, org)
        insert.bind(2, id.text)
        insert.bind(3, name)
        try insert.run()
    }

    func rename(_ org: UInt32, to name: String) throws(SQLiteError) {
        let rename = try database.statement("UPDATE org SET name = ? WHERE org = ?")
        rename.bind(1, name)
        rename.bind(2, org)
        try rename.run()
    }

    func remove(_ org: UInt32) throws(SQLiteError) {
        let remove = try database.statement("UPDATE org SET removed = 1 WHERE org = ?")
        remove.bind(1, org)
        try remove.run()
    }

    /// Writes how many devices an organisation itself has.
    func write(_ own: OrgTree.Tally, of org: UInt32) throws(SQLiteError) {
        let update = try database.statement("UPDATE org SET android = ?, ios = ?, test_android = ?, test_ios = ? WHERE org = ?")
        update.bind(1, own.android)
        update.bind(2, own.ios)
        update.bind(3, own.testAndroid)
        update.bind(4, own.testIOS)
        update.bind(5, org)
        try update.run()
    }

    /// From `position` on an organisation is below another one, or a root.
    func openParent(of org: UInt32, _ parent: UInt32?, at position: UInt64) throws(SQLiteError) {
        let open = try database.statement("INSERT INTO org_parent(org, from_seq, to_seq, parent) VALUES(?, ?, ?, ?)")
        open.bind(1, org)
        open.bind(2, position)
        open.bind(3, MembershipHistory.forever)
        open.bind(4, parent.map(Int64.init))
        try open.run()
    }

    /// What holds ends at `position`.
    func closeParent(of org: UInt32, at position: UInt64) throws(SQLiteError) {
        let close = try database.statement("UPDATE org_parent SET to_seq = ? WHERE org = ? AND to_seq = ?")
        close.bind(1, position)
        close.bind(2, org)
        close.bind(3, MembershipHistory.forever)
        try close.run()
    }

    // MARK: The past

    /// What an organisation was ever directly below.
    func parents(of org: UInt32) throws(SQLiteError) -> [MembershipHistory.Interval<UInt32>] {
        let query = try database.statement(
            "SELECT parent, from_seq, to_seq FROM org_parent WHERE org = ? AND parent IS NOT NULL")
        query.bind(1, org)
        var found: [MembershipHistory.Interval<UInt32>] = []
        while try query.step() { found.append(.init(query.short(0), from: query.position(1), to: query.position(2))) }
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
        let query = try database.statement("SELECT org FROM org_parent WHERE parent = ? AND from_seq < ? AND to_seq > ?")
        var found: Set<UInt32> = [org]
        var frontier = [org]
        while let next = frontier.popLast() {
            query.bind(1, next)
            query.bind(2, seq)
            query.bind(3, seq)
            while try query.step() {
                let child = query.short(0)
                if found.insert(child).inserted { frontier.append(child) }
            }
        }
        return found.sorted()
    }
}
