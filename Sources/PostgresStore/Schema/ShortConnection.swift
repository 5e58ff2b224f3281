internal import Libevent
internal import Postgres
internal import Push

/// A connection of a program that does one thing with a database and ends.
enum ShortConnection {
    /// Runs `body` with a connection, which ends with it.
    /// - Throws: ``MigrationFailure`` where no host answers in its first attempt.
    static func with<Result: Sendable>(
        _ options: PostgresOptions, _ body: (PostgresConnection) async throws -> Result
    ) async throws -> Result {
        let loop = try EventLoop(name: "database")
        loop.start()
        let (states, observer) = AsyncStream.makeStream(of: PostgresState.self)
        let connection = PostgresConnection(on: loop, options) { if case .state(let state) = $0 { observer.yield(state) } }
        connection.open()
        let result: Swift.Result<Result, any Error>
        do {
            try await untilReady(states)
            result = .success(try await body(connection))
        } catch {
            result = .failure(error)
        }
        await connection.close()
        loop.stop()
        loop.join()
        return try result.get()
    }

    private static func untilReady(_ states: AsyncStream<PostgresState>) async throws(MigrationFailure) {
        for await state in states {
            switch state {
            case .connecting: continue
            case .lost(let loss): throw MigrationFailure(text: loss.wordsWithRemedy, loss: loss)
            case .closed: throw MigrationFailure(text: BilingualText("连接不到数据库", "the database was not reached"))
            case .ready: return
            }
        }
    }
}
