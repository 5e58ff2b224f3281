import Push
import Base

@testable import SQLiteStore

/// A store in a directory of its own, with one loop, as a test drives it.
final class StoreFixture {
    let directory: TemporaryDirectory
    let clock = ManualClock()
    let loop = TestLoop()
    var options: SQLiteStore.Options
    private(set) var store: SQLiteStore
    private(set) var port: any StorePort
    /// What the store told its operator.
    let log = LogLines()
    private var isOpen = true

    /// What must outlive the store: its disk.
    private let kept: (any Sendable)?

    convenience init(_ change: (inout SQLiteStore.Options) -> Void = { _ in }) async throws {
        try await self.init(in: TemporaryDirectory(), keeping: nil, change)
    }

    init(
        in directory: TemporaryDirectory, keeping kept: (any Sendable)?, _ change: (inout SQLiteStore.Options) -> Void = { _ in }
    ) async throws {
        self.directory = directory
        self.kept = kept
        var options = SQLiteStore.Options()
        let (clock, log) = (clock, log)
        options.clock = { clock.now }
        options.log = log.append
        change(&options)
        self.options = options
        store = try SQLiteStore.open(directory: directory.path, options: options)
        port = store.port(for: loop)
        let loop = loop
        _ = try await port.subscribe { loop.deliver($0) }
    }

    deinit { if isOpen { store.close() } }

    /// Jobs that the writer has not taken yet.
    var waitingJobs: Int { store.writer.waitingJobs }

    func close() {
        guard isOpen else { return }
        store.close()
        isOpen = false
    }

    /// Closes the store and opens it again.
    func restart() async throws {
        close()
        try await open(directory.path)
    }

    /// Opens the store that lies in `path`, after ``close()``.
    func open(_ path: String) async throws {
        store = try SQLiteStore.open(directory: path, options: options)
        isOpen = true
        port = store.port(for: loop)
        let loop = loop
        _ = try await port.subscribe { loop.deliver($0) }
    }

    // MARK: The directory, in a few words

    @discardableResult
    func org(_ id: String, under parent: String? = nil) async throws -> ChangeResult {
        var change = OrganisationChange()
        change.name = id
        if let parent { change.parent = .set(OrgID(unchecked: parent)) }
        return try await port.apply(.putOrganisation(OrgID(unchecked: id), change))
    }

    @discardableResult
    func app(_ key: String, scope: String? = nil) async throws -> ChangeResult {
        var change = AppChange()
        change.name = key
        change.interfaces = [.message, .configuration]
        change.scope = scope.map { .set(OrgID(unchecked: $0)) } ?? .keep
        return try await port.apply(.putApp(AppKey(unchecked: key), change, secretIfNew: "secret"))
    }

    @discardableResult
    func device(
        _ token: String, in org: String, _ platform: Platform = .android, user: String? = nil, test: Bool = false
    ) async throws -> ChangeResult {
        var change = DeviceChange()
        change.platform = platform
        change.organisation = OrgID(unchecked: org)
        change.user = user.map { .set(UserID(unchecked: $0)) } ?? .keep
        change.test = test
        return try await port.apply(.putDevice(DeviceToken(unchecked: token), change, secretIfNew: "secret"))
    }

    func change(_ token: String, _ edit: (inout DeviceChange) -> Void) async throws {
        var change = DeviceChange()
        edit(&change)
        _ = try await port.apply(.putDevice(DeviceToken(unchecked: token), change, secretIfNew: nil))
    }

    func remove(_ token: String) async throws {
        _ = try await port.apply(.removeDevice(DeviceToken(unchecked: token)))
    }

    func removeOrg(_ id: String) async throws {
        _ = try await port.apply(.removeOrganisation(OrgID(unchecked: id)))
    }

    // MARK: Pushes

    /// Pushes and expects it to be stored.
    @discardableResult
    func push(_ request: PushRequest) async throws -> TaskID {
        let accepted = await port.append(request, withinRate: true)
        guard case .stored(let task) = accepted else { throw UnexpectedAnswer(answer: "\(accepted)") }
        return task
    }

    func counts(_ task: TaskID) async throws -> Counts { try await port.report(task, to: nil).counts }

    func recipients(_ task: TaskID, _ state: RecipientState, limit: Int = 1_000) async throws -> [String] {
        var found: [String] = []
        var after: PageToken?
        repeat {
            let page = try await port.recipients(of: task, to: nil, state: state, after: after, limit: limit)
            found += page.items.map(\.device.text)
            after = page.next
        } while after != nil
        return found
    }

    // MARK: Devices

    func attach(_ token: String) async throws -> TestSession { try await TestSession.attach(token, port) }

    /// What a device would get if it connected now.
    func pendingTasks(_ token: String) async throws -> [TaskID] {
        let session = try await attach(token)
        let rows = try await session.pending()
        session.detach()
        return rows.map(\.task)
    }
}

/// An answer that the test did not expect.
struct UnexpectedAnswer: Error {
    let answer: String
}

/// Lines that the store logged.
final class LogLines: Sendable {
    private let lines = Locked<[String]>([])
    var all: [String] { lines.withLock { $0 } }
    func append(_ line: String) { lines.withLock { $0.append(line) } }
}
