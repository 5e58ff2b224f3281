import Glibc
import Base
import Libevent
import Logging
import TestKit
import Testing
import Web

/// A front that speaks plain text and knows nothing of pushing.
actor TestFront: Front {
    struct Headers: HeaderFields {
        var key: String?

        mutating func collect(name: UnsafeRawBufferPointer, value: UnsafeRawBufferPointer) {
            if String(decoding: name, as: UTF8.self) == "key" { key = String(decoding: value, as: UTF8.self) }
        }
    }

    enum Access {
        case anyone
        case keyHolder
    }

    struct Forbidden: Error {}

    static let routes = RouteTable<TestFront>([
        Route(.get, "/hello", access: .anyone) { _, _ in .text("hello") },
        Route(.get, "/now", access: .anyone, handler: .direct { $0.respond(to: $1, with: .text("at once")) }),
        Route(.get, "/orgs/{org}/devices/{device}", access: .anyone) { _, request in
            .text("\(request.decodedParameter("org") ?? "?") \(request.parameter("device"))")
        },
        Route(.get, "/console/{path...}", access: .anyone) { _, request in
            Reply(status: 200, contentType: .html, body: Array("<p>\(request.parameter("path"))".utf8))
        },
        Route(.get, "/list", access: .anyone, query: QueryRule(required: ["state"], optional: ["limit"])) { _, request in
            .text("\(try request.query().number("limit") ?? 0)")
        },
        Route(.post, "/echo", access: .keyHolder, body: .whole) { _, request in
            Reply(status: 201, contentType: ContentType("application/octet-stream"), body: request.body)
        },
        Route(.post, "/count", access: .keyHolder, body: .pieces(upTo: 1 << 20)) { _, request in
            let next = request.slices()
            var sizes: [Int] = []
            while let slice = next() { sizes.append(slice.count) }
            return .text("\(sizes.reduce(0, +)) in \(sizes.count)")
        },
        Route(.get, "/events", access: .anyone, handler: .direct { $0.openStream($1) }),
        Route(.get, "/later", access: .anyone, handler: .direct { $0.kept = $1 }),
        Route(.get, "/failure", access: .anyone) { _, _ in
            var reply = Reply.text("sorry", status: 500)
            reply.note = .incident(Incident(code: 77, cause: "out of luck", isTransient: false))
            return reply
        },
    ])

    let loop: EventLoop
    let server: GracefulServer
    nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }

    /// A request that waits for its stream.
    private var kept: Request<TestFront>?
    private var streams: [EventStream] = []
    /// What the streams told, in order.
    private(set) var told: [String] = []

    /// How often the key `late` was shown, which is accepted from the second time on.
    private var timesLate = 0
    /// How often anyone was judged.
    private(set) var timesAdmitted = 0

    init(on loop: EventLoop, log: Logger) {
        self.loop = loop
        server = GracefulServer(for: Self.routes, limits: HTTPLimits(maxBodyBytes: 100), log: log)
    }

    func admit(_ headers: Headers, to access: Access, calling call: Call, from client: () -> IPAddress?) throws -> String? {
        timesAdmitted += 1
        if case .keyHolder = access {
            guard let key = headers.key else { throw Rejection.unauthorized(scheme: "Key") }
            if key == "late" {
                timesLate += 1
                if timesLate > 1 { return key }
            }
            guard key == "right" else { throw Forbidden() }
        }
        return headers.key
    }

    private func openStream(_ request: Request<TestFront>) {
        do {
            let stream = try openEventStream(for: request, keepAlive: .milliseconds(200))
            stream.onClose = { [unowned self] in told.append("closed") }
            stream.onDrained = { [unowned self] in told.append("drained") }
            streams.append(stream)
        } catch {
            refuse(request, because: error)
        }
    }

    var isShuttingDown: Bool { server.isShuttingDown }
    var hasKept: Bool { kept != nil }

    func openKeptStream() {
        guard let request = kept else { return }
        kept = nil
        openStream(request)
    }

    func dropKeptRequest() { kept = nil }

    func send(_ event: ServerSentEvent) { for stream in streams { stream.send(event) } }
    func endStreams() { for stream in streams { stream.end() } }
    func dropStreams() { streams = [] }
    var isBehind: Bool { streams.contains(where: \.isBehind) }
    var streamCount: Int { streams.count }
    var openStreams: Int { streams.count(where: \.isOpen) }

    func reply(to error: any Error, headers: Headers) -> Reply {
        guard let rejection = error as? Rejection else { return .text("\(error)", status: 403) }
        return .text("\(rejection)", status: 400)
    }
}

extension Reply {
    static func text(_ text: String, status: Int = 200) -> Reply {
        Reply(status: status, contentType: .text, body: Array(text.utf8))
    }
}

/// The front on a loop of its own, on a free port.
final class Served: Sendable {
    let front: TestFront
    let port: UInt16
    let log = LogMemory()
    private let loop: EventLoop

    private init() async throws {
        loop = try EventLoop(name: "web", way: getenv("PSP_HTTP_PLAIN") == nil ? .best : .plain)
        let log = log
        front = TestFront(on: loop, log: Logger(label: "test") { _ in log.handler })
        loop.start()
        let socket = try ListeningSocket.bind(SocketAddress(parsing: "127.0.0.1:0"), count: 1)[0]
        port = socket.address.port
        try await front.start(listening: socket)
    }

    private func end() async {
        await front.shutdown()
        loop.stop()
        loop.join()
    }

    /// Runs a test against a served front, and leaves nothing behind.
    static func with(_ body: @concurrent (Served) async throws -> Void) async throws {
        let served = try await Served()
        do {
            try await body(served)
        } catch {
            await served.end()
            throw error
        }
        await served.end()
    }

    /// Sends a request on a connection of its own.
    func send(_ method: String, _ target: String, _ headers: String..., body: String = "") throws -> HTTPReply {
        let connection = try RawConnection(port: port)
        var text = "\(method) \(target) HTTP/1.1\r\nHost: localhost\r\n"
        for header in headers { text += header + "\r\n" }
        if method == "POST" || !body.isEmpty { text += "Content-Length: \(body.utf8.count)\r\n" }
        try connection.send(text + "\r\n" + body)
        return try connection.reply(toHead: method == "HEAD")
    }
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
        var logLevel = Logger.Level.trace

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

/// Waits until a condition holds, 20 s at most.
func until(
    _ what: Comment, sourceLocation: SourceLocation = #_sourceLocation, _ condition: () async throws -> Bool
) async throws {
    let deadline = ContinuousClock.now + .seconds(60)
    while try await !condition() {
        guard ContinuousClock.now < deadline else {
            Issue.record(what, sourceLocation: sourceLocation)
            return
        }
        try await Task.sleep(for: .milliseconds(1))
    }
}
