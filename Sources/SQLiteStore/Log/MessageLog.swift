internal import Push
internal import StoreCore

/// The log's end as the writer has it: it gives out positions and appends rows. Writer only.
final class MessageLog {
    let tail: Tail
    private let messages: MessageTable
    private let meta: MetaTable
    /// The newest position that was given out, and the one that is committed.
    private(set) var head: UInt64
    private var committedHead: UInt64
    /// Positions without a row were given out in this transaction: the head cannot be found again from rows.
    private(set) var hasBarePositions = false
    private var configurationVersion: Int64 = 0

    init(_ tables: Tables, tail: Tail, head: UInt64) throws(SQLiteError) {
        messages = tables.messages
        meta = tables.meta
        self.tail = tail
        self.head = head
        committedHead = head
        try reload()
    }

    /// A position in the log's order for something that is no row.
    func takePosition() -> UInt64 {
        hasBarePositions = true
        head += 1
        return head
    }

    /// A version greater than every one before.
    func takeConfigurationVersion() throws(SQLiteError) -> Int64 {
        configurationVersion += 1
        try meta.write(.configurationVersion, configurationVersion)
        return configurationVersion
    }

    /// Gives a row the next position and stores it.
    /// - Parameter request: what it was made of; `nil` for a reference.
    func append(_ row: inout StoredRow, of request: PushRequest? = nil) throws(SQLiteError) {
        head += 1
        row.seq = head
        try messages.insert(row, of: request)
        tail.active.append(
            Generation.Entry(
                seq: row.seq, target: row.target, app: row.app,
                bizHash: request?.idempotency.map { StableHash.of($0.outBizNo.text) },
                tag: row.reference == nil ? row.tag : nil))
    }

    /// Everything up to this point of the transaction.
    var view: Tail.View { Tail.View(generations: tail.view.generations, head: head) }

    // MARK: Transactions

    /// Writes the head.
    func write() throws(SQLiteError) { try meta.write(.head, Int64(bitPattern: head)) }

    /// Everything up to the head is on the disk: readers may see it.
    func committed() {
        hasBarePositions = false
        committedHead = head
        tail.publish(head: head)
    }

    /// Takes back what was given out since the last commit.
    func rollback() {
        tail.active.rollback(to: committedHead)
        head = committedHead
        hasBarePositions = false
    }

    /// Reads from the file what a transaction that failed may have changed.
    func reload() throws(SQLiteError) { configurationVersion = try meta.number(.configurationVersion) ?? 0 }
}
