import Base
import Libevent
import PostgresCluster

@testable import Postgres

/// A connection under test, with all that it has told, and questions that a test asks in one line.
final class Observed: Sendable {
    let connection: PostgresConnection
    private let events: Locked<[PostgresEvent]>

    init(on loop: EventLoop, _ options: PostgresOptions) {
        let events = Locked<[PostgresEvent]>([])
        self.events = events
        connection = PostgresConnection(on: loop, options) { event in events.withLock { $0.append(event) } }
    }

    var session: PostgresSession? {
        if case .ready(let session) = connection.state { session } else { nil }
    }

    var isReady: Bool { session != nil }

    var losses: [PostgresLoss] {
        events.withLock { events in
            events.compactMap { if case .state(.lost(let loss)) = $0 { loss } else { nil } }
        }
    }

    var notifications: [PostgresNotification] {
        events.withLock { events in
            events.compactMap { if case .notification(let notification) = $0 { notification } else { nil } }
        }
    }

    /// How often it became ready, or told more of a session.
    var sessions: [PostgresSession] {
        events.withLock { events in
            events.compactMap { if case .state(.ready(let session)) = $0 { session } else { nil } }
        }
    }

    func ready() async throws { try await eventually("a session") { isReady } }

    /// Waits for a loss of that kind.
    func lost(_ what: String = "a loss", where isExpected: @Sendable (PostgresLoss) -> Bool = { _ in true }) async throws {
        try await eventually(what) { losses.contains(where: isExpected) }
    }

    func call(_ sql: String, deadline: Duration = .seconds(30)) async -> PostgresOutcome {
        await connection.call(PostgresCall(PostgresStatement(sql), deadline: deadline))
    }

    /// What a statement without arguments is answered with.
    func rows(_ sql: String) async throws -> PostgresRows {
        let outcome = await call(sql)
        guard case .rows(let rows) = outcome else { throw Failure(description: "\(sql): \(outcome)") }
        return rows
    }

    /// The one number that a statement is answered with.
    func number(_ sql: String) async throws -> Int64? { try await rows("select (\(sql))::bigint").int8(0, 0) }

    /// Begins a call whose answer is looked at later.
    func begin(_ call: PostgresCall) -> Answer {
        let answer = Answer()
        connection.call(call) { answer.set($0) }
        return answer
    }

    func begin(_ sql: String, deadline: Duration = .seconds(30)) -> Answer {
        begin(PostgresCall(PostgresStatement(sql), deadline: deadline))
    }
}

/// An answer that may have come.
final class Answer: Sendable {
    private let state = Locked<PostgresOutcome?>(nil)

    func set(_ outcome: PostgresOutcome) { state.withLock { $0 = outcome } }

    var hasCome: Bool { state.withLock { $0 != nil } }

    func outcome() async throws -> PostgresOutcome {
        try await eventually("an answer") { hasCome }
        guard let outcome = state.withLock({ $0 }) else { throw Failure(description: "no answer") }
        return outcome
    }
}

func options(_ address: String, _ change: (inout PostgresOptions) -> Void = { _ in }) throws -> PostgresOptions {
    var options = PostgresOptions(try PostgresAddress(parsing: address))
    options.retry = (first: .milliseconds(20), last: .milliseconds(200))
    change(&options)
    return options
}

/// Runs `body` with connections, on one loop, that were opened and are closed behind it.
func withConnections<R>(
    _ options: [PostgresOptions], _ body: @concurrent ([Observed]) async throws -> R
) async throws -> R {
    let loop = try EventLoop(name: "postgres")
    loop.start()
    let observed = options.map { Observed(on: loop, $0) }
    for one in observed { one.connection.open() }
    let result: Result<R, any Error>
    do { result = .success(try await body(observed)) } catch { result = .failure(error) }
    for one in observed { await one.connection.close(patience: .zero) }
    loop.stop()
    loop.join()
    return try result.get()
}

/// The same for one, which is ready.
func withConnection<R>(
    _ options: PostgresOptions, _ body: @concurrent (Observed) async throws -> R
) async throws -> R {
    try await withConnections([options]) { connections in
        try await connections[0].ready()
        return try await body(connections[0])
    }
}

extension PostgresOutcome {
    var rows: PostgresRows? { if case .rows(let rows) = self { rows } else { nil } }
    var failure: PostgresError? { if case .failed(let error) = self { error } else { nil } }
    var doubt: PostgresDoubt? { if case .unknown(let doubt) = self { doubt } else { nil } }
    var unavailability: PostgresUnavailability? { if case .unavailable(let reason) = self { reason } else { nil } }
    var isTooLarge: Bool { if case .tooLarge = self { true } else { false } }
}
