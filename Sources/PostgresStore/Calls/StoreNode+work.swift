internal import Postgres
internal import Push
internal import StoreCore

// How the node works things off, and answers.

extension StoreNode {
    /// Begins a piece of work on the node's loop.
    func work(_ body: @escaping @Sendable (isolated StoreNode) async -> Void) {
        Task.immediate(executorPreference: loop) { await body(self) }
    }

    /// Makes a call that the database decides by the time, which is its first argument. Where the database's clock was set, that
    /// is made up for, and the call made again.
    func timely(
        _ connection: PostgresConnection, _ statement: PostgresStatement, mostRows: Int = 10_000, mostBytes: Int = 8 << 20,
        _ fill: (inout PostgresArguments) -> Void
    ) async -> PostgresOutcome {
        let outcome = await once(connection, statement, mostRows, mostBytes, fill)
        guard case .failed(let error) = outcome, error.state == .clockWasSet else { return outcome }
        await renewNow()
        return await once(connection, statement, mostRows, mostBytes, fill)
    }

    private func once(
        _ connection: PostgresConnection, _ statement: PostgresStatement, _ mostRows: Int, _ mostBytes: Int,
        _ fill: (inout PostgresArguments) -> Void
    ) async -> PostgresOutcome {
        // Before it has joined a node knows no time to bring.
        guard number != 0 else { return .unavailable(.notReady(nil)) }
        var arguments = PostgresArguments()
        arguments.append(int8: time.now(at: options.boot()))
        fill(&arguments)
        return await connection.call(
            PostgresCall(statement, arguments, deadline: options.patience, mostRows: mostRows, mostBytes: mostBytes))
    }

    /// A call of which nobody knows nothing afterwards.
    func ask(
        _ connection: PostgresConnection, _ statement: PostgresStatement, _ arguments: PostgresArguments
    ) async throws(StoreError) -> PostgresRows {
        try result(await connection.call(PostgresCall(statement, arguments, deadline: options.patience)))
    }

    /// The same of one that is decided by the time; see ``timely(_:_:mostRows:_:)``.
    func askTimely(
        _ connection: PostgresConnection, _ statement: PostgresStatement, _ fill: (inout PostgresArguments) -> Void
    ) async throws(StoreError) -> PostgresRows {
        try result(await timely(connection, statement, fill))
    }

    /// What a call was answered with.
    func result(_ outcome: PostgresOutcome) throws(StoreError) -> PostgresRows {
        switch outcome {
        case .rows(let rows): return rows
        case .failed(let error):
            tellSeldom("the database has refused a call", of: error.state, "\(error)")
            throw .unavailable(retryAfter: retryAfter)
        case .unavailable, .tooLarge: throw .unavailable(retryAfter: retryAfter)
        case .unknown: throw .unknown
        }
    }

    /// While many come, for a moment until there are more: what a call costs by itself is shared by all that go in it. Who comes
    /// alone does not wait.
    func waitForMore(after count: Int, _ waiting: Int, of most: Int, for pause: Duration) async {
        if count >= 16, waiting < most { await Bell(on: loop).wait(atMost: pause) }
    }

    /// Until the node has joined.
    func untilReady() async {
        while number == 0, !isClosing { await readyBell.wait(atMost: options.rest) }
    }

    /// Sends what was answered, with the entries that have gathered.
    func sendAnswers() {
        outbox.send(upTo: head) { directory.snapshot(at: head, of: lease.lastTerm) }
    }
}

extension SQLState {
    /// What `check_clock` raises.
    fileprivate static let clockWasSet: SQLState = "PSCLK"
}
