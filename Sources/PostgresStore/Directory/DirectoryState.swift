internal import Base
internal import Postgres
internal import Push
internal import StoreCore

/// The directory as this node knows it: apps and the organisation tree with its past, as of a position that its tail has reached.
/// How many devices there are where is known to the database alone.
struct DirectoryState {
    /// An app with its number, by which rows name it.
    struct AppRecord {
        let number: Int32
        let app: App
        let isRemoved: Bool
    }

    /// By which the database tells whether a change was decided by what is so now.
    var version: Int64 = 0
    private(set) var apps: [AppKey: AppRecord] = [:]
    /// By number, removed ones too, as far as a row has named them.
    private(set) var appKeys: [Int32: AppKey] = [:]
    private(set) var tree = OrgTree()
    /// What each organisation was ever directly below; a root in intervals that are not here.
    private(set) var parents: [UInt32: [MembershipHistory.Interval<UInt32>]] = [:]
    /// Since when each organisation has the parent that it has.
    private var parentSince: [UInt32: UInt64] = [:]
    var tasks = TaskNumber(store: 0)
    var operators = OperatorBook()
    /// A number that no organisation ever had.
    private(set) var nextOrg: UInt32 = 1

    init() {}

    mutating func set(_ record: AppRecord) {
        appKeys[record.number] = record.app.key
        if record.isRemoved {
            if apps[record.app.key]?.number == record.number { apps[record.app.key] = nil }
        } else {
            apps[record.app.key] = record
        }
    }

    /// An organisation is new, or has another parent from a position on.
    mutating func place(_ org: UInt32, _ id: OrgID, _ name: String, under parent: UInt32?, at position: UInt64) {
        if let node = tree[org] {
            if let former = node.parent {
                parents[org, default: []].append(
                    MembershipHistory.Interval(former, from: parentSince[org] ?? 0, to: position))
            }
            if ExactText(node.name) != ExactText(name) { tree.rename(node, to: name) }
            tree.move(node, under: parent)
        } else {
            let node = OrgTree.Node(org: org, id: id, name: name)
            tree.insert(node)
            if let parent { tree.move(node, under: parent) }
        }
        parentSince[org] = position
        nextOrg = max(nextOrg, org + 1)
    }

    mutating func remove(_ org: UInt32, at position: UInt64) {
        guard let node = tree[org] else { return }
        if let former = node.parent {
            parents[org, default: []].append(MembershipHistory.Interval(former, from: parentSince[org] ?? 0, to: position))
        }
        tree.remove(node)
    }

    /// What an organisation was ever directly below, the present parent too.
    func parents(of org: UInt32) -> [MembershipHistory.Interval<UInt32>] {
        var found = parents[org] ?? []
        if let parent = tree[org]?.parent {
            found.append(MembershipHistory.Interval(parent, from: parentSince[org] ?? 0, to: MembershipHistory.forever))
        }
        return found
    }

    /// As a loop has it.
    func snapshot(at head: UInt64, of term: UInt64) -> DirectorySnapshot {
        DirectorySnapshot(
            lane: theLane, position: Position(raw: head), apps: apps.values.map(\.app),
            organisations: tree.nodes.values.map { (OrgHandle(index: $0.org), $0.parent.map { OrgHandle(index: $0) }) },
            operators: operators.all, operatorSessions: operators.allSessions, term: term)
    }
}

extension DirectoryState {
    /// From the answer of `snapshot_1`.
    init(_ rows: PostgresRows) throws(PostgresShapeError) {
        guard rows.count == 1 else { throw .end }
        version = try rows.present8(0, 1)
        var (from, store) = (try rows.array(0, 2, of: .int8), try rows.array(0, 3, of: .int8))
        var stretches: [TaskNumber.Stretch] = []
        for _ in 0..<(from?.count ?? 0) {
            guard let first = try from?.int8(), let number = try store?.int8() else { throw .null }
            stretches.append(.init(from: UInt64(bitPattern: first), store: UInt32(truncatingIfNeeded: number)))
        }
        tasks = TaskNumber(stretches)
        for record in try AppRows(arrays: rows, from: 4).records() { set(record) }
        try readOrganisations(rows)
        nextOrg = UInt32(truncatingIfNeeded: try rows.present4(0, 26))
    }

    private mutating func readOrganisations(_ rows: PostgresRows) throws(PostgresShapeError) {
        guard var orgs = try rows.array(0, 18, of: .int4), var ids = try rows.array(0, 19, of: .bytea),
            var names = try rows.array(0, 20, of: .bytea), var above = try rows.array(0, 21, of: .int4)
        else { return }
        var nodes: [(node: OrgTree.Node, own: OrgTree.Tally)] = []
        var edges: [(child: UInt32, parent: UInt32)] = []
        for _ in 0..<orgs.count {
            guard let org = try orgs.int4(), let id = try ids.bytea(), let name = try names.bytea() else { throw .null }
            let number = UInt32(bitPattern: org)
            nodes.append(
                (
                    OrgTree.Node(
                        org: number, id: OrgID(unchecked: String(decoding: id, as: UTF8.self)),
                        name: String(decoding: name, as: UTF8.self)), OrgTree.Tally()
                ))
            if let parent = try above.int4() { edges.append((number, UInt32(bitPattern: parent))) }
        }
        tree = OrgTree(nodes, parents: edges, nextOrg: 1)
        guard var past = try rows.array(0, 22, of: .int4), var parent = try rows.array(0, 23, of: .int4),
            var from = try rows.array(0, 24, of: .int8), var to = try rows.array(0, 25, of: .int8)
        else { return }
        for _ in 0..<past.count {
            guard let org = try past.int4(), let first = try from.int8(), let last = try to.int8() else { throw .null }
            let (number, since, until) = (UInt32(bitPattern: org), UInt64(bitPattern: first), UInt64(bitPattern: last))
            let above = try parent.int4()
            if until == MembershipHistory.forever {
                parentSince[number] = since
            } else if let above {
                parents[number, default: []].append(.init(UInt32(bitPattern: above), from: since, to: until))
            }
        }
    }
}
