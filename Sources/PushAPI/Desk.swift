internal import Libevent
internal import Logging
internal import Push

/// What a listener keeps count of: its server, and the requests that are in hand. Owned by its front, on the front's loop.
final class Desk {
    private let log: Logger
    private var server: HTTPServer?
    /// Exchanges that were begun and not yet answered.
    private var inHand = 0
    /// A shutdown has begun.
    private(set) var isClosing = false
    private var closing: CheckedContinuation<Void, Never>?
    private var patience: Timer?
    /// Every connection has ended, or the time for it is over.
    private var hasLeft = false
    private var complaints = ComplaintLimit()

    init(log: Logger) { self.log = log }

    /// Serves what comes in on the socket. On the loop.
    func open(
        _ socket: ListeningSocket, on loop: EventLoop, limits: HTTPLimits, handler: @escaping (sending HTTPExchange) -> Void
    ) throws(LibeventError) {
        let server = try HTTPServer(on: loop, limits: limits, handler: handler)
        server.onTrouble = { [log] error in log.warning("connections could not be accepted", metadata: ["cause": "\(error)"]) }
        try server.listen(on: socket)
        self.server = server
    }

    // MARK: Requests

    /// An exchange has come.
    func begin() { inHand += 1 }

    /// Sends the reply of an exchange that was begun.
    func answer(_ exchange: HTTPExchange, with reply: Reply) {
        complain(of: reply, to: exchange)
        var headers = Self.jsonHeaders
        for (name, value) in reply.headers { headers.append((name, value)) }
        exchange.reply(status: reply.status, headers: headers, body: reply.body, close: reply.closes || isClosing)
        inHand -= 1
        leaveIfDone()
    }

    private static let jsonHeaders = [("Content-Type", "application/json; charset=utf-8")]

    /// One line for what is not the caller's fault. The address is the only thing of the request that it tells.
    private func complain(of reply: Reply, to exchange: HTTPExchange) {
        guard let code = reply.code, code == .internalError || code == .unavailable, complaints.mayComplain() else { return }
        log.log(
            level: code == .internalError ? .error : .warning, "a request was answered with \(code.rawValue)",
            metadata: [
                "method": "\(exchange.method)", "path": "\(exchange.rawPath.prefix(200))",
                "cause": "\(reply.cause ?? "the store takes no changes now")", "unreported": "\(complaints.takeSuppressed())",
            ])
    }

    // MARK: The end

    /// Accepts what waits in the system's queue and nothing more, answers what is in hand with `Connection: close`, and returns when
    /// nothing is. Peers that send or read too slowly are let go after `patience`.
    /// - Parameter turn: lets the loop turn once.
    func close(on loop: EventLoop, patience limit: Duration) async {
        guard !isClosing else { return }
        isClosing = true
        guard let server else { return }
        do {
            try server.stopAccepting()
            patience = try Timer(on: loop, after: limit) { [unowned self] in leave() }
        } catch {
            // Neither a timer nor an event could be made: what waits in the queue is reset, what is in hand is still answered.
            log.error("the listener could not be drained", metadata: ["cause": "\(error)"])
            leave()
        }
        while server.isAccepting && !hasLeft { await loop.nextTurn() }
        server.onEmpty = { [unowned self] in leave() }
        server.drain()
        await withCheckedContinuation { continuation in
            closing = continuation
            leaveIfDone()
        }
        patience?.cancel()
        patience = nil
        self.server = nil
    }

    private func leave() {
        hasLeft = true
        leaveIfDone()
    }

    private func leaveIfDone() {
        guard hasLeft, inHand == 0, let waiting = closing else { return }
        closing = nil
        waiting.resume()
    }
}

/// A store that takes no changes refuses thousands of requests a second: one line a second says so.
private struct ComplaintLimit {
    private var last: ContinuousClock.Instant?
    private var suppressed = 0

    mutating func mayComplain() -> Bool {
        let now = ContinuousClock.now
        if let last, now - last < .seconds(1) {
            suppressed += 1
            return false
        }
        last = now
        return true
    }

    /// How many complaints were left out since the last one.
    mutating func takeSuppressed() -> Int {
        defer { suppressed = 0 }
        return suppressed
    }
}
