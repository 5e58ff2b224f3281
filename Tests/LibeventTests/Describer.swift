import Libevent

/// An HTTP server whose answers describe the requests, and that keeps, drops or answers them as their path says.
actor Describer {
    let loop: EventLoop
    nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }

    private let limits: HTTPLimits
    private let judge: @Sendable (HTTPRequestHead) -> HTTPBodyVerdict
    private var busy: @Sendable () throws -> Void = {}
    private var servers: [HTTPServer] = []
    private var server: HTTPServer? { servers.first }
    private var kept: [HTTPExchange] = []
    private(set) var seen: [String] = []
    /// What the judge was asked: method, target, body's length, the values of `x-ask`.
    private(set) var judged: [String] = []
    private var streams: [HTTPReplyStream] = []
    private(set) var streamEvents: [HTTPReplyStream.Event] = []
    private(set) var isEmpty = false
    private(set) var acceptErrors: [LibeventError] = []
    private(set) var pressure: [ConnectionPressure] = []

    init(
        on loop: EventLoop, limits: HTTPLimits = HTTPLimits(),
        judge: @escaping @Sendable (HTTPRequestHead) -> HTTPBodyVerdict = { _ in .accept(upTo: .max) }
    ) {
        (self.loop, self.limits, self.judge) = (loop, limits, judge)
    }

    /// Listens on a free port and returns the address; again: by another server, which shares the first one's bound.
    func listen(by security: TLSSource? = nil, forwarding: HTTPForwarding? = nil) throws -> SocketAddress {
        let socket = try bindAnyPort()[0]
        try listen(on: socket, by: security, forwarding)
        return socket.address
    }

    func listen(
        on socket: ListeningSocket, by security: TLSSource? = nil, _ forwarding: HTTPForwarding? = nil
    ) throws {
        let server = try HTTPServer(
            on: loop, limits: limits, security: security, forwarding: forwarding, sharingRoomWith: servers.first,
            judge: { [unowned self] head in
                let asked = head.headers.filter { $0.name == "X-Ask" }.map(\.value).joined(separator: "|")
                judged.append("\(head.method) \(head.rawTarget) \(head.bodyLength.map(String.init) ?? "chunked") \(asked)")
                return judge(head)
            }
        ) { [unowned self] exchange in handle(exchange) }
        server.onAcceptError = { [unowned self] in acceptErrors.append($0) }
        server.onPressure = { [unowned self] in pressure.append($0) }
        try server.listen(on: socket)
        servers.append(server)
    }

    private func handle(_ exchange: HTTPExchange) {
        seen.append("\(exchange.method) \(exchange.rawTarget)")
        if exchange.isSurplus { return exchange.reply(status: 503, body: Array("no room".utf8)) }
        switch exchange.rawPath {
        case "/keep": kept.append(exchange)
        case "/drop": break
        case "/close": exchange.reply(status: 200, body: Array("bye".utf8), close: true)
        case "/big": exchange.reply(status: 200, body: [UInt8](repeating: UInt8(ascii: "x"), count: 4_000_000))
        case "/large": exchange.reply(status: 200, body: [UInt8](repeating: UInt8(ascii: "x"), count: 128 * 1024))
        case "/busy":
            do { try busy() } catch { return exchange.reply(status: 500) }
            exchange.reply(status: 200)
        case "/client": exchange.reply(status: 200, body: Array("\(exchange.clientAddress?.description ?? "-")".utf8))
        case "/empty": exchange.reply(status: 204)
        case "/stream": stream(exchange)
        default: describe(exchange)
        }
    }

    private func stream(_ exchange: HTTPExchange) {
        let headers = [("Content-Type", "text/event-stream")]
        let stream = exchange.startStream(status: 200, headers: headers)
        stream.onEvent = { [weak self] event in self?.assumeIsolated { $0.streamEvents.append(event) } }
        streams.append(stream)
    }

    private func describe(_ exchange: HTTPExchange) {
        let count = exchange.bodyCount
        let body = String(decoding: exchange.takeBody(upTo: count), as: UTF8.self)
        let isTooLarge = exchange.headerBytes > limits.maxHeaderBytes || count > limits.maxBodyBytes
        let status = exchange.framing != .ok ? 400 : isTooLarge ? 413 : exchange.isRefused ? 403 : 200
        let text =
            "\(exchange.method) \(exchange.rawPath) query=\(exchange.query ?? "-") framing=\(exchange.framing) count=\(count) "
            + "body=\(body)"
        exchange.reply(
            status: status,
            headers: [("Content-Type", "text/plain"), ("X-Asked", exchange.values(of: "x-ask").joined(separator: "|"))],
            body: Array(text.utf8))
    }

    var connectionCount: Int { servers.reduce(0) { $0 + $1.connectionCount } }
    var keptCount: Int { kept.count }
    var timeouts: HTTPTimeouts { server?.timeouts ?? HTTPTimeouts() }
    var isAccepting: Bool { server?.isAccepting == true }

    func answerKept(_ body: [UInt8] = Array("late".utf8)) {
        for exchange in kept { exchange.reply(status: 200, headers: [("X-Late", "yes")], body: body) }
        kept.removeAll()
    }

    func dropKept() { kept.removeAll() }

    func takeKept() -> [HTTPExchange] {
        defer { kept.removeAll() }
        return kept
    }

    // The streams, all at once.

    var streamCount: Int { streams.count }
    var unsentCount: Int { streams.reduce(0) { $0 + $1.unsentCount } }
    func streamPiece(_ text: String) { for stream in streams { stream.send(Array(text.utf8)) } }
    func streamPiece(_ bytes: [UInt8]) { for stream in streams { stream.send(bytes) } }
    func endStreams() { for stream in streams { stream.end() } }
    func dropStreams() { streams.removeAll() }

    func stopAccepting() throws { try server?.stopAccepting() }

    /// Does something and drains, both in one job of the loop.
    func drain(behind body: @Sendable () throws -> Void) throws {
        try body()
        drain()
    }

    func drain() {
        server?.onEmpty = { [unowned self] in isEmpty = true }
        server?.drain()
    }

    /// What is done when `/busy` is asked for.
    func onBusy(_ body: @escaping @Sendable () throws -> Void) { busy = body }

    /// Does something while the loop is busy with it.
    func doing<R: Sendable>(_ body: @Sendable () throws -> R) rethrows -> R { try body() }

    func stop() {
        streams.removeAll()
        servers.removeAll()
    }

    /// Lets the server go, and keeps what it has given out.
    func releaseServer() { servers.removeAll() }
}

/// A server for one test, and a new connection to it.
func withDescriber<R>(
    way: LibeventWay = testedWay, limits: HTTPLimits = HTTPLimits(),
    judge: @escaping @Sendable (HTTPRequestHead) -> HTTPBodyVerdict = { _ in .accept(upTo: .max) },
    _ body: @concurrent (Describer, SocketAddress) async throws -> R
) async throws -> R {
    try await withLoop(way) { loop in
        let server = Describer(on: loop, limits: limits, judge: judge)
        let address = try await server.listen()
        let result: Result<R, any Error>
        do { result = .success(try await body(server, address)) } catch { result = .failure(error) }
        await server.stop()
        return try result.get()
    }
}
