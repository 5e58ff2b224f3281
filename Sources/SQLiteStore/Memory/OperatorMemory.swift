internal import Push
internal import StoreCore

/// Operators and their sessions as decisions look at them: what the file holds, at this point of the transaction. Writer only.
final class OperatorMemory {
    private let table: OperatorTable
    private(set) var book = OperatorBook()

    init(_ table: OperatorTable) throws(SQLiteError) {
        self.table = table
        try reload()
    }

    /// Reads everything from the file: at start, and after a transaction that failed. All or, where it cannot be read, nothing.
    func reload() throws(SQLiteError) { book = OperatorBook(try table.all(), sessions: try table.sessions()) }

    /// The number of a new one: never given before, never given again.
    func nextNumber() throws(SQLiteError) -> OperatorNumber { try table.nextNumber() }

    // MARK: Changes, here and in the file

    func set(_ one: Operator) throws(SQLiteError) {
        try table.write(one)
        book.set(one)
    }

    func remove(_ one: Operator) throws(SQLiteError) {
        try table.remove(one.number)
        book.remove(one.number)
    }

    func begin(_ session: OperatorSession) throws(SQLiteError) {
        try table.insert(session)
        book.begin(session)
    }

    func end(_ key: OperatorSessionKey) throws(SQLiteError) {
        try table.remove(key)
        book.end(key)
    }
}
