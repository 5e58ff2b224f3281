internal import Synchronization

/// A statement with parameters (`$1`, `$2`…). Each connection prepares it for itself when it is first called there, for the types
/// of the arguments that it is called with then; so make it once, and always call it with the same types.
public final class PostgresStatement: Sendable {
    private static let numbers = Atomic<Int>(0)

    /// One statement of SQL.
    public let sql: String
    /// Which one it is; no other statement of this process ever has that number.
    let number: Int
    /// Its name in a session.
    let name: String

    /// - Parameter sql: one statement. What it does is committed when it ends: a call is a transaction.
    public init(_ sql: String) {
        self.sql = sql
        number = Self.numbers.add(1, ordering: .relaxed).newValue
        name = "s\(number)"
    }
}
