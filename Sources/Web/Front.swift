public import Base
public import Libevent

/// A listener's actor on its loop: it says what it reads of a request's head, whom it admits and how it words an error; what
/// every listener does with a request is here.
///
/// A request goes this way: libevent calls ``serve(_:)``; the gate (`Front+gate.swift`) finds the route and asks
/// ``admit(_:to:calling:from:)``; the route's handler makes a ``Reply``, and ``respond(to:with:)`` sends it; or it opens an
/// ``EventStream``.
public protocol Front: Actor {
    /// What the front reads of the headers.
    associatedtype Headers: HeaderFields
    /// What a route may ask of a caller.
    associatedtype Access: Sendable
    /// What the front finds out about a caller, for the handler.
    associatedtype Caller

    /// Every address that is served.
    static var routes: RouteTable<Self> { get }
    /// Where the front lives.
    var loop: EventLoop { get }
    /// The front's listener.
    var server: GracefulServer { get }

    /// Judges a caller by the head alone: it is asked before the body is read, and may be asked again when the body is there.
    /// - Parameter client: the client's address; `nil` when it had gone before it was known.
    /// - Throws: what ``reply(to:headers:)`` words.
    func admit(
        _ headers: Headers, to access: Access, calling call: Call, from client: () -> IPAddress?
    ) throws -> Caller

    /// Looks again, when the body is there, at a caller who was admitted by the head: it may have taken a while to come. Who was
    /// admitted stays so, unless the front says otherwise.
    /// - Throws: what ``admit(_:to:calling:from:)`` throws.
    func confirm(_ caller: Caller, to access: Access) throws -> Caller

    /// Whether a body may be kept while it comes: yes, unless the front says otherwise. What comes in one piece with its head is
    /// not asked about.
    func mayKeepBody(of caller: Caller) -> Bool

    /// Whether nothing is known of a caller: where there is no room, its body is not waited for.
    func isStranger(_ caller: Caller) -> Bool

    /// Why a request is refused whose body was dropped because ``mayKeepBody(of:)`` said no: ``Rejection/bodyDropped``, unless
    /// the front finds out more about the caller.
    func reasonForDroppingBody(of request: Request<Self>) async -> any Error

    /// Words what a request is refused for: a ``Rejection`` of the gate, what ``admit(_:to:calling:from:)`` throws, what a
    /// handler throws.
    /// What HTTP itself asks of the reply (`Allow`, for one) is added to it.
    func reply(to error: any Error, headers: Headers) -> Reply

    /// A request is about to be answered.
    /// - Parameter error: why it was refused; `nil` where a handler has made the reply.
    func answered(_ request: Request<Self>, with reply: Reply, because error: (any Error)?)

    /// The same for one that has not come through the gate.
    func turnedAway(_ exchange: HTTPExchange, _ headers: Headers, with reply: Reply, because error: any Error, id: String)
}

extension Front {
    /// Nothing has changed.
    @inlinable
    public func confirm(_ caller: Caller, to access: Access) throws -> Caller { caller }

    /// It may.
    @inlinable
    public func mayKeepBody(of caller: Caller) -> Bool { true }

    /// It is known.
    @inlinable
    public func isStranger(_ caller: Caller) -> Bool { false }

    /// Nobody wants to know.
    @inlinable
    public func answered(_ request: Request<Self>, with reply: Reply, because error: (any Error)?) {}

    /// Nobody wants to know.
    @inlinable
    public func turnedAway(
        _ exchange: HTTPExchange, _ headers: Headers, with reply: Reply, because error: any Error, id: String
    ) {}

    /// The caller may send it again.
    public func reasonForDroppingBody(of request: Request<Self>) async -> any Error { Rejection.bodyDropped }
}

// Inlinable all the way down to libevent: what is generic over the front would be called through tables of witnesses otherwise.
extension Front {
    // MARK: The listener

    /// Serves what comes in on the socket, which is taken. May be called for several.
    /// - Parameter security: what the connections' TLS begins with; nil: they are in clear.
    /// - Throws: what libevent cannot make.
    @inlinable
    public func start(listening socket: ListeningSocket, security: TLSSource? = nil) throws(LibeventError) {
        try server.listen(on: socket, security: security, loop: loop) { @Sendable [unowned self] head in
            // Safe: the verdict is the loop's, as the front is.
            nonisolated(unsafe) var verdict = HTTPBodyVerdict.refuse
            assumeIsolated { verdict = $0.judge(head) }
            return verdict
        } handler: { [unowned self] exchange in
            serve(exchange)
        }
    }

    /// Accepts nothing more, answers what is in flight with `Connection: close`, and returns when nothing is.
    /// - Parameter patience: how long a peer may take to send the rest of a request or to read its reply.
    public func shutdown(patience: Duration = .seconds(5)) async {
        await server.shutDown(on: loop, patience: patience)
    }

    // MARK: A request

    /// Takes a request from libevent, on the loop.
    @inlinable
    func serve(_ exchange: HTTPExchange) {
        let request: Request<Self>
        do {
            request = try self.request(from: exchange)
        } catch {
            let kind = Self.routes.kind(of: exchange.method, exchange.rawPath)
            let headers = Headers(of: exchange)
            let reply = answer(to: exchange, headers, notAdmittedBecause: error)
            let id = headers.requestID ?? server.makeRequestID()
            // Before the reply, with which the request goes.
            turnedAway(exchange, headers, with: reply, because: error, id: id)
            return server.respond(to: exchange, with: reply, id: id, kind: kind, after: nil)
        }
        if exchange.isRefused {
            Task.immediate(executorPreference: loop) { refuse(request, because: await reasonForDroppingBody(of: request)) }
            return
        }
        // Both come behind what this turn reads, on this loop, where every answer of the store comes too.
        switch request.route.handler {
        case .task(let handler):
            Task.immediate(executorPreference: loop) {
                do {
                    respond(to: request, with: try await handler(self, request))
                } catch {
                    refuse(request, because: error)
                }
            }
        case .direct(let handler):
            // Safe: the job is this loop's, and nobody else has the request.
            nonisolated(unsafe) let request = request
            loop.execute { self.assumeIsolated { handler($0, request) } }
        }
    }

    /// Sends the reply to a request, once. Every reply of a handler goes this way.
    @inlinable
    public func respond(to request: Request<Self>, with reply: Reply) { respond(to: request, with: reply, because: nil) }

    @inlinable
    func respond(to request: Request<Self>, with reply: Reply, because error: (any Error)?) {
        // Before the reply, with which the request goes.
        answered(request, with: reply, because: error)
        server.respond(
            to: request.exchange, with: reply, id: request.id, kind: request.route.kind,
            after: loop.monotonicNow - request.began)
        request.end()
    }

    /// Answers a request by a stream of events; a `HEAD` gets its headers only.
    /// - Parameter keepAlive: how often a comment is sent, so that no proxy takes the connection for dead.
    /// - Throws: what libevent cannot make; then the request is still to be answered.
    public func openEventStream(
        for request: Request<Self>, keepAlive: Duration = .seconds(15)
    ) throws(LibeventError) -> EventStream {
        // Looked up while the connection is surely there.
        _ = request.exchange.clientAddress
        let stream = try server.openEventStream(for: request.exchange, id: request.id, on: loop, keepAlive: keepAlive)
        answered(request, with: Reply(status: 200, contentType: .none, body: []), because: nil)
        request.end()
        return stream
    }

    /// What a request gets that does not come through the gate. `OPTIONS` never does: it asks for what a wrong method is told.
    @usableFromInline
    func answer(to exchange: HTTPExchange, _ headers: Headers, notAdmittedBecause error: any Error) -> Reply {
        guard exchange.method == .options, let rejection = error as? Rejection, case .methodNotAllowed = rejection else {
            return refusal(because: error, headers: headers)
        }
        guard exchange.framing == .ok else {
            return refusal(because: Rejection.framing(exchange.framing), headers: headers)
        }
        var reply = Reply(status: 204, contentType: .none, body: [])
        rejection.complete(&reply)
        return reply
    }

    /// Answers a request with what is wrong, in the front's words.
    public func refuse(_ request: Request<Self>, because error: any Error) {
        respond(to: request, with: refusal(because: error, headers: request.headers), because: error)
    }

    @usableFromInline
    func refusal(because error: any Error, headers: Headers) -> Reply {
        var reply = reply(to: error, headers: headers)
        if let rejection = error as? Rejection { rejection.complete(&reply) }
        return reply
    }
}
