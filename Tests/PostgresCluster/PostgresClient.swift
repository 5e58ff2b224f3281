import Libevent
public import Postgres

/// A connection of a test's own, on a loop of its own: it looks into tables, and changes them. Both go with it.
public final class PostgresClient: Sendable {
    private let loop: EventLoop
    private let connection: PostgresConnection

    /// Waits until there is a session.
    public init(_ options: PostgresOptions) async throws {
        loop = try EventLoop(name: "test")
        loop.start()
        connection = PostgresConnection(on: loop, options)
        connection.open()
        let connection = connection
        try await eventually("a session") { if case .ready = connection.state { true } else { false } }
    }

    deinit {
        let loop = loop
        loop.detach()
        connection.close { loop.stop() }
    }

    /// Ends its session.
    public func close() async { await connection.close() }

    /// Makes a call.
    public func call(_ call: PostgresCall) async -> PostgresOutcome { await connection.call(call) }

    /// Runs a text of SQL.
    public func run(_ script: String) async throws {
        let outcome = await call(PostgresCall(script: script))
        guard case .rows = outcome else { throw Failure(description: "\(script): \(outcome)") }
    }

    /// The number that a query finds.
    public func number(_ sql: String) async throws -> Int64 {
        let outcome = await call(PostgresCall(PostgresStatement(sql)))
        guard case .rows(let rows) = outcome, rows.count == 1, let number = try rows.int8(0, 0) else {
            throw Failure(description: "\(sql): \(outcome)")
        }
        return number
    }
}
