internal import Push
internal import StoreCore

/// The directory as decisions look at it: what the file holds, at this point of the transaction. Writer only.
final class DirectoryMemory {
    private let tables: Tables
    private(set) var apps: [AppKey: AppTable.Record] = [:]
    private(set) var tree = OrgTree()
    /// What was given out last, in the file and here: retention forgets who has a number, and nobody gets it again.
    private var given: [MetaTable.Key: Int64] = [:]
    private var written: [MetaTable.Key: Int64] = [:]
    private var addressees = DeviceCache()
    /// Something of it was changed in this transaction.
    var isChanged = false

    init(_ tables: Tables) throws(SQLiteError) {
        self.tables = tables
        try reload()
    }

    /// Reads everything from the file: at start, and after a transaction that failed. All or, where it cannot be read, nothing.
    func reload() throws(SQLiteError) {
        var apps: [AppKey: AppTable.Record] = [:]
        for record in try tables.apps.all() { apps[record.app.key] = record }
        var written: [MetaTable.Key: Int64] = [:]
        for key in [MetaTable.Key.ordinal, .organisation, .user] { written[key] = try tables.meta.number(key) }
        let tree = try tables.organisations.tree(given: written[.organisation] ?? 0)
        let (ordinal, user) = (try tables.devices.highestOrdinal(), try tables.users.highest())
        addressees.removeAll()
        self.apps = apps
        self.tree = tree
        self.written = written
        given = [
            .ordinal: max(ordinal, written[.ordinal] ?? 0), .user: max(user, written[.user] ?? 0),
            .organisation: Int64(tree.nextOrg) - 1,
        ]
        isChanged = false
    }

    /// Notes what was given out in a directory that does not tell it yet: an older version's, of which retention may remove who
    /// has the highest numbers before anything is changed.
    func noteGiven() throws(SQLiteError) {
        guard given != written else { return }
        try tables.database.transact { () throws(SQLiteError) in try writeGiven() }
    }

    /// Writes what changes are summed up in.
    func write() throws(SQLiteError) {
        for node in tree.removeChanged() { try tables.organisations.write(node.own, of: node.org) }
        given[.organisation] = Int64(tree.nextOrg) - 1
        try writeGiven()
    }

    private func writeGiven() throws(SQLiteError) {
        for (key, number) in given where written[key] != number { try tables.meta.write(key, number) }
        written = given
    }

    private func take(_ key: MetaTable.Key) -> Int64 {
        let number = (given[key] ?? 0) + 1
        given[key] = number
        return number
    }

    // MARK: Apps

    func set(_ key: AppKey, _ record: AppTable.Record?) { apps[key] = record }

    /// An app whose scope an organisation is, the first by name.
    func app(withScope id: OrgID) -> AppKey? {
        apps.values.lazy.filter { $0.app.scope == id }.map(\.app.key).min { $0.text < $1.text }
    }

    /// Whether an organisation is inside an app's scope. A scope that does not exist (any more) holds nothing.
    func isInside(_ org: UInt32, _ scope: OrgID) -> Bool { tree.isInside(org, scope) }

    // MARK: Devices

    /// The number of a new holder's device: never used before, never used again.
    func takeOrdinal() -> UInt32 { UInt32(truncatingIfNeeded: take(.ordinal)) }

    /// The number of a new user, likewise.
    func takeUser() -> Int64 { take(.user) }

    /// What a push has to know of a live device.
    func addressee(_ token: DeviceToken) throws(SQLiteError) -> DeviceCache.Addressee? {
        let key = StableHash.of(token.text)
        if let known = addressees.device(token, key: key) { return known }
        guard let device = try tables.devices.addressee(token, key: key) else { return nil }
        addressees.insert(device, token, key: key)
        return device
    }

    /// The device is about to change.
    func forgetAddressee(_ token: DeviceToken) { addressees.forget(token) }

    // MARK: Loops

    /// Apps, operators and the tree for a loop, as of `head`.
    func snapshot(at head: UInt64, _ operators: OperatorMemory) -> DirectorySnapshot {
        DirectorySnapshot(
            lane: theLane, position: Position(raw: head), apps: apps.values.map(\.app),
            organisations: tree.nodes.values.map { (OrgHandle(index: $0.org), $0.parent.map { OrgHandle(index: $0) }) },
            operators: operators.book.all, operatorSessions: operators.book.allSessions)
    }
}
