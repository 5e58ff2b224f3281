internal import Base
internal import Push

/// Everything that decides: the directory, the log's head, receipts, sessions. Lives on the writer's thread, inside its transaction.
///
/// What it holds in memory is what the file holds plus facts that are written some times a second; after a transaction that
/// failed it is read again from the file, and the facts, which may be told any number of times, are applied once more.
final class Ledger {
    let database: Database
    let tail: Tail
    let outbox: Outbox
    let clock: @Sendable () -> Int64
    let tasks: TaskNumber

    let receipts: ReceiptBook
    let cursors: CursorBook
    let rows: RowReader
    let histories: HistoryReader
    let sessions = SessionRegistry()
    var deviceCache = DeviceCache()

    var apps: [AppKey: AppRecord] = [:]
    var tree = OrgTree()
    var nextOrdinal: UInt32 = 1
    var configVersion: Int64 = 0

    /// The newest position that was given out, and the one that is committed.
    private(set) var head: UInt64
    private var committed: UInt64
    /// The wall clock of this turn; never behind an earlier one, so that positions and times have one order.
    private(set) var now: Int64 = 0
    /// The directory was changed in this transaction.
    var directoryChanged = false
    /// Facts that the file does not hold yet.
    private var unwritten: [Fact] = []
    /// When the oldest of them was told, in monotonic nanoseconds: a wall clock may stand still.
    private var unwrittenSince: Int64 = 0
    private var hasBegun = false
    /// Set by an input/output error: nothing is changed any more.
    private(set) var failure: String?
    /// Imports that go on between transactions.
    var imports: [Import] = []

    /// An app with its number.
    struct AppRecord {
        let number: Int64
        var app: App
    }

    private enum Fact {
        case delivery(Delivery)
        case floor(UInt32, UInt64)
    }

    init(_ database: Database, tail: Tail, head: UInt64, tasks: TaskNumber, options: SQLiteStore.Options) throws(SQLiteError) {
        self.database = database
        self.tail = tail
        self.head = head
        committed = head
        self.tasks = tasks
        clock = options.clock
        outbox = Outbox(backlogLimit: options.tuning.backlogLimit)
        receipts = ReceiptBook(database)
        cursors = CursorBook(database)
        rows = RowReader(database: database)
        histories = HistoryReader(database: database)
        now = try database.number("SELECT max(created) FROM (SELECT created FROM message ORDER BY seq DESC LIMIT 1)") ?? 0
        try load()
    }

    /// A new position in the log's order.
    func nextPosition() -> UInt64 {
        head += 1
        return head
    }

    /// A view of everything up to this moment of the transaction.
    var view: Tail.View { Tail.View(generations: tail.take().generations, head: head) }

    // MARK: Facts

    /// An acknowledgement. In memory at once, in the file soon.
    func settle(_ delivery: Delivery) throws(SQLiteError) {
        remember(.delivery(delivery))
        try apply(delivery)
    }

    /// Everything of a device up to there is settled.
    func settle(_ device: UInt32, upTo floor: UInt64) throws(SQLiteError) {
        remember(.floor(device, floor))
        try cursors.settle(device, nil, upTo: floor)
    }

    /// Whether facts wait to be written; the writer's pause is short then.
    var hasUnwritten: Bool { !unwritten.isEmpty }

    private func remember(_ fact: Fact) {
        // After an input/output error nothing can be written: a redelivery after the restart is what is left.
        guard failure == nil else { return }
        if unwritten.isEmpty { unwrittenSince = MonotonicClock.nanoseconds }
        unwritten.append(fact)
    }

    private func apply(_ delivery: Delivery) throws(SQLiteError) {
        let ordinal = delivery.device.ordinal
        try cursors.settle(ordinal, delivery.position.raw, upTo: delivery.settledUpTo.raw)
        let mark: TaskReceipts.Mark = delivery.kind == .delivered ? .delivered : .skipped
        try receipts.settle(mark, ordinal, at: delivery.position.raw, now: now)
    }

    // MARK: Transactions

    /// How many facts, and for how many nanoseconds, may wait before they are written.
    private static let unwrittenLimit = 8_192
    private static let unwrittenTime: Int64 = 100_000_000

    /// Reads the clock.
    func tick() { now = max(now, clock()) }

    func begin() throws(SQLiteError) {
        tick()
        try database.statement("BEGIN").run()
        hasBegun = true
    }

    /// Writes what is due and commits. When it returns, everything decided since ``begin()`` is on the disk.
    /// - Parameter probing: whether to write something in any case, to learn whether the disk has room again.
    func commit(flushing: Bool, probing: Bool = false) throws(SQLiteError) {
        let due = unwritten.count >= Self.unwrittenLimit || MonotonicClock.nanoseconds - unwrittenSince >= Self.unwrittenTime
        let flushes =
            failure == nil && (flushing || directoryChanged || (!unwritten.isEmpty && due) || receipts.isCrowded)
        if flushes {
            try receipts.flush()
            try cursors.flush()
        }
        if directoryChanged || (probing && failure == nil) { try writeDirectory() }
        try database.statement("COMMIT").run()
        hasBegun = false
        if flushes {
            receipts.flushed()
            cursors.flushed()
            unwritten.removeAll(keepingCapacity: true)
        }
        directoryChanged = false
        committed = head
        tail.publish(head: head)
    }

    /// Undoes everything since ``begin()``.
    /// - Returns: what those that wait are to be told.
    func rollback(_ error: SQLiteError) -> StoreError {
        outbox.clear()
        tail.active.rollback(to: committed)
        head = committed
        receipts.drop()
        cursors.drop()
        deviceCache.removeAll()
        do {
            if database.inTransaction { try database.statement("ROLLBACK").run() }
            hasBegun = false
            directoryChanged = false
            try load()
            for fact in unwritten {
                switch fact {
                case .delivery(let delivery): try apply(delivery)
                case .floor(let device, let floor): try cursors.settle(device, nil, upTo: floor)
                }
            }
        } catch {
            fail(error)
            return .unknown
        }
        if error.isFull { return .unavailable(retryAfter: retryAfter) }
        fail(error)
        return .unknown
    }

    /// Nothing is changed any more, until a restart.
    func fail(_ error: SQLiteError) {
        if failure == nil { failure = error.description }
        unwritten.removeAll()
    }

    // MARK: The directory's memory

    private func load() throws(SQLiteError) {
        apps = [:]
        let query = try database.statement(
            "SELECT app, appkey, name, secret, interfaces, scope, disabled FROM app WHERE removed = 0")
        while try query.step() {
            let key = AppKey(unchecked: query.text(1))
            let app = App(
                key: key, name: query.text(2), masterSecret: query.text(3), interfaces: Self.interfaces(query.int(4)),
                scope: query.optionalText(5).map { OrgID(unchecked: $0) }, disabled: query.int(6) != 0)
            apps[key] = AppRecord(number: query.int(0), app: app)
        }
        tree = try OrgTree.load(from: database)
        // Ever given out, so that no holder gets the number of one that retention has forgotten.
        let given = max(
            try database.number("SELECT max(ordinal) FROM device") ?? 0,
            try database.number("SELECT value FROM meta WHERE key = 'ordinal'") ?? 0)
        nextOrdinal = UInt32(truncatingIfNeeded: given + 1)
        configVersion = try database.number("SELECT value FROM meta WHERE key = 'config_version'") ?? 0
    }

    private func writeDirectory() throws(SQLiteError) {
        let update = try database.statement(
            "UPDATE org SET android = ?, ios = ?, test_android = ?, test_ios = ? WHERE org = ?")
        for org in tree.takeDirty() {
            guard let own = tree[org]?.own else { continue }
            update.bind(1, own.android)
            update.bind(2, own.ios)
            update.bind(3, own.testAndroid)
            update.bind(4, own.testIOS)
            update.bind(5, org)
            try update.run()
        }
        // Positions of the directory's changes have no row from which the head could be found again.
        try setMeta("head", Int64(bitPattern: head))
        try setMeta("ordinal", Int64(nextOrdinal) - 1)
    }

    func setMeta(_ key: String, _ value: Int64) throws(SQLiteError) {
        let statement = try database.statement("INSERT OR REPLACE INTO meta(key, value) VALUES(?, ?)")
        statement.bind(1, key)
        statement.bind(2, value)
        try statement.run()
    }

    /// Apps and the tree as of the head.
    func snapshot() -> DirectorySnapshot {
        DirectorySnapshot(
            lane: theLane, position: Position(raw: head), apps: apps.values.map(\.app),
            organisations: tree.nodes.values.map { (OrgHandle(index: $0.org), $0.parent.map { OrgHandle(index: $0) }) })
    }

    static func interfaces(_ bits: Int64) -> Set<Interface> {
        var interfaces: Set<Interface> = []
        if bits & 1 != 0 { interfaces.insert(.message) }
        if bits & 2 != 0 { interfaces.insert(.configuration) }
        return interfaces
    }

    static func bits(_ interfaces: Set<Interface>) -> Int64 {
        (interfaces.contains(.message) ? 1 : 0) | (interfaces.contains(.configuration) ? 2 : 0)
    }
}
