/// A primary whose commits wait for its standby.
public struct PostgresPair: Sendable {
    /// Takes writes.
    public let primary: PostgresServer
    /// Follows, as `standby`.
    public let standby: PostgresServer

    /// libpq's address of both.
    public var address: String { "postgres://postgres@127.0.0.1:\(primary.port),127.0.0.1:\(standby.port)/postgres" }
}

/// Runs `body` with a primary and its synchronous standby, which end with it.
public func withPostgresPair<R>(_ body: @concurrent (PostgresPair) async throws -> R) async throws -> R {
    try await withPostgres { primary in
        let standby = try await primary.makeStandby(named: "standby")
        let result: Result<R, any Error>
        do {
            try await standby.start()
            try primary.set(["synchronous_standby_names": "ANY 1 (standby)"])
            result = .success(try await body(PostgresPair(primary: primary, standby: standby)))
        } catch {
            result = .failure(error)
        }
        await standby.remove()
        return try result.get()
    }
}
