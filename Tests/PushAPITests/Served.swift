import Glibc
import Base
import Crypto
import Libevent
import Logging
import Push

@testable import PushAPI

/// The time at which every test takes place, Unix milliseconds.
let noon: Int64 = 1_795_521_600_000

/// Both fronts on a loop of their own, on free ports, over a store that answers as told.
final class Served: Sendable {
    let store: FakeStore
    let push: PushFront
    let admin: AdminFront
    let pushPort: UInt16
    let adminPort: UInt16
    let log = LogMemory()
    let clock = Clock(noon)
    /// That of the process's log.
    let level = Locked(Logger.Level.info)
    let tracer = Tracer()
    private let toldEntries = Locked<[AuditEntry]>([])
    /// What whoever reads the audit log along was told.
    var told: [AuditEntry] { toldEntries.withLock { $0 } }
    private let loop: EventLoop

    static let adminToken = "admin-token-of-the-tests"

    /// The app that the tests push with.
    static let app = App(
        key: AppKey(unchecked: "50e26c315270156df0000031"), name: "Third party", masterSecret: "b3a09842D2C86177aa8268ee64f14f7e",
        interfaces: [.message, .configuration], scope: nil, disabled: false)
    static let disabledApp = App(
        key: AppKey(unchecked: "disabled-app"), name: "Disabled", masterSecret: "s", interfaces: [.message], scope: nil,
        disabled: true)
    static let messageApp = App(
        key: AppKey(unchecked: "message-app"), name: "Messages only", masterSecret: "s", interfaces: [.message], scope: nil,
        disabled: false)

    init(_ script: FakeStore.Script = FakeStore.Script()) async throws {
        let store = FakeStore(script)
        let loop = try EventLoop(name: "rest", way: getenv("PSP_HTTP_PLAIN") == nil ? .best : .plain)
        let log = log
        let clock = clock
        let level = level
        let tracer = tracer
        let toldEntries = toldEntries
        let logger = Logger(label: "test") { _ in log.handler }
        push = PushFront(
            on: loop, store: store, clocks: .init(wall: { clock.now }, monotonic: { clock.now }),
            configuration: .init(log: logger))
        admin = AdminFront(
            on: loop, store: store,
            process: ServedProcess(
                status: { store.now.status },
                nodes: { () async throws(StoreError) in [] }, metrics: { _ in Array("# metrics\n".utf8) },
                logLevel: { level.withLock { $0 } },
                setLogLevel: { new in level.withLock { $0 = new } },
                tracing: TraceControl(
                    tracer: tracer, begin: { tracer.begin($0, until: noon + $1 * 60_000) }, end: { tracer.end($0) }),
                audit: AuditControl(tell: { entry, _ in toldEntries.withLock { $0.append(entry) } })),
            configuration: Self.operators(logger))
        self.store = store
        self.loop = loop
        loop.start()
        let any = try SocketAddress(parsing: "127.0.0.1:0")
        let sockets = [try ListeningSocket.bind(any, count: 1)[0], try ListeningSocket.bind(any, count: 1)[0]]
        pushPort = sockets[0].address.port
        adminPort = sockets[1].address.port
        await push.seed(
            DirectorySnapshot(
                lane: Lane(index: 0), position: .start, apps: [Self.app, Self.disabledApp, Self.messageApp], organisations: []))
        await admin.seed(Self.snapshot)
        try await push.start(listening: sockets[0])
        try await admin.start(listening: sockets[1])
    }

    /// Ends both fronts and the loop's thread.
    func end() async {
        await push.shutdown()
        await admin.shutdown()
        loop.stop()
        loop.join()
    }

    /// Runs a test against served fronts, and leaves nothing behind.
    static func with(_ script: FakeStore.Script = FakeStore.Script(), _ body: (Served) async throws -> Void) async throws {
        let served = try await Served(script)
        do {
            try await body(served)
        } catch {
            await served.end()
            throw error
        }
        await served.end()
    }
}

/// A clock that a test sets.
final class Clock: Sendable {
    private let time: Locked<Int64>
    init(_ now: Int64) { time = Locked(now) }
    var now: Int64 { time.withLock { $0 } }
    func set(_ now: Int64) { time.withLock { $0 = now } }
}

/// What was logged.
final class LogMemory: Sendable {
    private let memory = Locked<[String]>([])
    var lines: [String] { memory.withLock { $0 } }
    var handler: any LogHandler { Handler(memory: self) }

    private func note(_ line: String) { memory.withLock { $0.append(line) } }

    private struct Handler: LogHandler {
        let memory: LogMemory
        var metadata: Logger.Metadata = [:]
        var logLevel = Logger.Level.info

        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }

        func log(event: LogEvent) {
            let details = (event.metadata ?? [:]).sorted { $0.key < $1.key }.map { " \($0.key)=\($0.value)" }
            memory.note("\(event.level): \(event.message)" + details.joined())
        }
    }
}
