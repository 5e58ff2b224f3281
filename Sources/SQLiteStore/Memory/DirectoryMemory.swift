internal import Push
internal import StoreCore

/// The directory as decisions look at it: what the file holds, at this point of the transaction. Writer only.
final class DirectoryMemory {
    private let tables: Tables
    private(set) var apps: [AppKey: AppTable.Record] = [:]
    private(set) var tree = OrgTree()
    private var nextOrdinal: UInt32 = 1
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
        let tree = try tables.organisations.tree()
        // Ever given out, so that no holder gets the number of one that retention has forgotten.
        let given = max(try tables.devices.highestOrdinal(), try tables.meta.number(.ordinal) ?? 0)
        addressees.removeAll()
        self.apps = apps
        self.tree = tree
        nextOrdinal = UInt32(truncatingIfNeeded: given + 1)
        isChanged = false
    }

    /// Writes what changes are summed up in.
    func write() throws(SQLiteError) {
        for node in tree.removeChanged() { try tables.organisations.write(node.own, of: node.org) }
        try tables.meta.write(.ordinal, Int64(nextOrdinal) - 1)
    }

    // MARK: Apps

    func set(_ key: AppKey, _ record: AppTable.Record?) { apps[key] = record }

    /// An app whose scope an organisation is, the first by name.
    func app(withScope id: OrgID) -> AppKey? {
        apps.values.lazy.filter { $0.app.scope == id }.map(\.app.key).min { $0.text < $1.text }
    }

    /// Whether an organisation is inside an app's scope. A scope that does not exist (any more) holds nothing.
    func isInside(_ org: UInt32, _ scope: OrgID) -> Bool { tree[scope].map { tree.isBelow(org, $0.org) } ?? false }

    // MARK: Devices

    /// The number of a new holder's device: never used before, never used again.
    func takeOrdinal() -> UInt32 {
        defer { nextOrdinal += 1 }
        return nextOrdinal
    }

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

    /// Apps and the tree for a loop, as of `head`.
    func snapshot(at head: UInt64) -> DirectorySnapshot {
        DirectorySnapshot(
            lane: theLane, position: Position(raw: head), apps: apps.values.map(\.app),
            organisations: tree.nodes.values.map { (OrgHandle(index: $0.org), $0.parent.map { OrgHandle(index: $0) }) })
    }
}
