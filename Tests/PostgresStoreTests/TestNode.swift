import Postgres
import PostgresCluster
import Push
import StoreContract
import Testing

@testable import PostgresStore

/// One node with one loop.
struct TestNode: Sendable {
    let options: PostgresStore.Options
    let store: PostgresStore
    let loop = TestLoop()
    let port: any StorePort

    init(
        _ name: String, _ address: String, _ configure: @Sendable (inout PostgresStore.Options) -> Void = { _ in }
    ) async throws {
        var database = PostgresOptions(try PostgresAddress(parsing: address))
        database.retry = (first: .milliseconds(10), last: .milliseconds(100))
        var options = PostgresStore.Options(database, node: NodeName(host: name), version: "test")
        options.cursorPause = .milliseconds(50)
        configure(&options)
        self.options = options
        store = try PostgresStore(options)
        await store.whenReady()
        port = store.port(for: loop)
        try await loop.follow(port)
    }

    /// A connection of the test's own to the database.
    func database() async throws -> PostgresClient { try await PostgresClient(options.database) }

    func accepted(_ request: PushRequest) async -> Accepted {
        await withCheckedContinuation { continuation in port.append(request) { continuation.resume(returning: $0) } }
    }

    /// The task that a push has made.
    func push(_ request: PushRequest) async throws -> TaskID {
        try await accepted(request).get()
    }

    /// One after the other.
    func push(_ requests: [PushRequest]) async throws -> [TaskID] {
        var tasks: [TaskID] = []
        for request in requests { tasks.append(try await push(request)) }
        return tasks
    }

    /// The same where the database was away just now: who is refused by a node that is not served yet comes again.
    func pushWhenServed(_ request: PushRequest) async throws -> TaskID {
        let end = ContinuousClock.now + .seconds(60)
        while true {
            let accepted = await accepted(request)
            guard case .unavailable = accepted, ContinuousClock.now < end else { return try accepted.get() }
            try await Task.sleep(for: .milliseconds(5))
        }
    }

    func connect(_ token: String, as session: SessionID = DeviceSession.newID()) async throws(AttachError) -> Attached {
        try await port.attach(DeviceToken(unchecked: token), secret: Array("secret".utf8), certificate: nil, session: session)
    }

    /// Dies with a device that has got three messages to its organisation and acknowledged the last two, which is written. The
    /// first is still to be acknowledged, so that the cursor stays before all of them.
    /// - Returns: the three tasks.
    func endUnawares(of token: String, as id: SessionID, seenBy other: TestNode) async throws -> [TaskID] {
        let attached = try await connect(token, as: id)
        let tasks = try await push((0..<3).map { .message(.organisation("police"), text: "\($0)") })
        try await loop.waitForEntry("the last row") { $0.task == tasks[2] }
        let rows = loop.takeEvents().flatMap(\.rows).filter { tasks.contains($0.task) }
        try #require(rows.count == 3)
        port.settle(
            rows[1...].map {
                Delivery(device: attached.device, position: $0.position, settledUpTo: attached.settledUpTo, kind: .delivered)
            })
        try await eventually("they are written") { try await other.port.report(tasks[2], to: nil).counts.delivered == 1 }
        store.end(leaving: false)
        return tasks
    }

    func result(connecting token: String, as session: SessionID) async -> Result<Attached, AttachError> {
        do throws(AttachError) { return .success(try await connect(token, as: session)) } catch { return .failure(error) }
    }
}

extension Result {
    var failure: Failure? { if case .failure(let error) = self { error } else { nil } }
}

extension Accepted {
    struct NotStored: Error { let accepted: Accepted }

    func get() throws -> TaskID {
        guard case .stored(let task) = self else { throw NotStored(accepted: self) }
        return task
    }

    var isStored: Bool { if case .stored = self { true } else { false } }
    var isUnknown: Bool { if case .unknown = self { true } else { false } }
    var refusal: Refusal? { if case .refused(let refusal) = self { refusal } else { nil } }
}

extension Entry {
    var task: TaskID? { if case .row(let row) = self { row.task } else { nil } }
}

extension StorePort {
    func putDevice(_ token: String, in org: String, of user: String? = nil, platform: Platform = .android) async throws {
        var device = DeviceChange()
        device.organisation = OrgID(unchecked: org)
        device.platform = platform
        if let user { device.user = .set(UserID(unchecked: user)) }
        _ = try await apply(.putDevice(DeviceToken(unchecked: token), device, secretIfNew: "secret"))
    }
}

/// Runs `body` with two nodes over a database of its own.
func withNodes(_ body: @concurrent (TestNode, TestNode) async throws -> Void) async throws {
    try await withPostgres { server in try await withNodes(over: server.address(), { _ in }, body) }
}

/// The same over a database that the test has made.
func withNodes(
    over address: String, _ configure: @Sendable (inout PostgresStore.Options) -> Void = { _ in },
    _ body: @concurrent (TestNode, TestNode) async throws -> Void
) async throws {
    try await PostgresStore.migrate(PostgresOptions(try PostgresAddress(parsing: address)))
    let a = try await TestNode("a", address, configure)
    let b = try await TestNode("b", address, configure)
    let result: Result<Void, any Error>
    do { result = .success(try await body(a, b)) } catch { result = .failure(error) }
    for node in [a, b] { node.store.close() }
    try result.get()
}

/// An organisation with an app and three devices.
func furnish(_ port: any StorePort, perSecond: Int? = nil) async throws {
    var police = OrganisationChange()
    police.name = "Police"
    _ = try await port.apply(.putOrganisation(OrgID(unchecked: "police"), police))
    var app = AppChange()
    app.name = "App"
    app.interfaces = [.message, .configuration]
    if let perSecond { app.perSecond = .set(perSecond) }
    _ = try await port.apply(.putApp(AppKey(unchecked: "app"), app, secretIfNew: "secret"))
    try await port.putDevice("phone", in: "police", of: "ann")
    try await port.putDevice("tablet", in: "police", of: "bob")
    try await port.putDevice("iphone", in: "police", platform: .ios)
}

// Looks into the tables, and holds others up.

extension PostgresClient {
    /// Holds everybody up who takes a position, until `COMMIT`.
    func takeLane() async throws { try await run("BEGIN; SELECT pg_advisory_xact_lock(1886613553, 0)") }

    /// Returns when somebody waits for the lane.
    func untilLaneIsAwaited() async throws {
        try await eventually("somebody waits for the lane") {
            try await number("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted") > 0
        }
    }

    private static let receipts = PostgresStatement("SELECT count(*) FROM psp.receipt")

    /// How many acknowledgements, or bitmaps of them, were written.
    func receipts() async throws -> Int {
        guard case .rows(let rows) = await call(PostgresCall(Self.receipts)) else { return 0 }
        return Int(try rows.int8(0, 0) ?? 0)
    }

    private static let cursor = PostgresStatement("SELECT cursor FROM psp.session WHERE ordinal = $1")

    func cursor(of device: DeviceHandle) async throws -> Position? {
        var arguments = PostgresArguments()
        arguments.append(int8: Int64(device.ordinal))
        guard case .rows(let rows) = await call(PostgresCall(Self.cursor, arguments)), rows.count == 1 else {
            return nil
        }
        return try rows.int8(0, 0).map { Position(raw: UInt64(bitPattern: $0)) }
    }

    /// The one value that a question is answered with.
    func text(_ sql: String) async throws -> String? {
        guard case .rows(let rows) = await call(PostgresCall(PostgresStatement(sql))), rows.count == 1 else {
            return nil
        }
        return try rows.text(0, 0)
    }

    private static let hasMember = PostgresStatement("SELECT psp.has_member($1, $2)")

    /// Whether the database finds a member in a bitmap.
    func hasMember(_ bits: [UInt8], _ low: UInt16) async throws -> Bool? {
        var arguments = PostgresArguments()
        arguments.append(bytea: bits)
        arguments.append(int4: Int32(low))
        guard case .rows(let rows) = await call(PostgresCall(Self.hasMember, arguments)), rows.count == 1 else {
            return nil
        }
        return try rows.bool(0, 0)
    }
}
