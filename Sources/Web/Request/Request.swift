internal import Base
public import Libevent

/// A request that was admitted to its route. A class, so that handing it on copies one reference.
public final class Request<Service: Front> {
    /// The route that it was admitted to.
    public let route: Route<Service>
    /// What its front collects of the headers.
    public let headers: Service.Headers
    /// What its front found out about the caller.
    public let caller: Service.Caller
    /// The body; empty for a route that takes none, and for one that takes it by ``slices()``.
    public let body: [UInt8]
    /// Where the reply goes.
    public let exchange: HTTPExchange
    /// By what it is called: see ``RequestID``.
    public let id: String
    /// When it was there, by the loop's clock, in nanoseconds.
    @usableFromInline let began: Int64
    @usableFromInline let parameters: [Substring]
    /// The listener, which counts the request as long as it is in flight.
    @usableFromInline let server: GracefulServer
    @usableFromInline var isInFlight = true

    @inlinable
    init(
        _ exchange: HTTPExchange, to match: RouteTable<Service>.Match, headers: Service.Headers, caller: Service.Caller,
        server: GracefulServer, at now: Int64
    ) {
        self.exchange = exchange
        self.server = server
        self.headers = headers
        self.caller = caller
        began = now
        id = headers.requestID ?? server.makeRequestID()
        route = match.route
        parameters = match.parameters
        // Taken, not looked at: while the store decides, a crowd of bodies would keep libevent's buffers (1 KiB each) from being
        // used again, and the allocator, asked for more of them, tidies all its bins every few pushes (700 instructions a push,
        // most of them cache misses).
        if case .whole = route.body { body = exchange.takeBody(upTo: exchange.bodyCount) } else { body = [] }
        server.requestBegan()
    }

    deinit { if isInFlight { server.requestWasDropped() } }

    /// It is answered.
    @inlinable
    func end() {
        isInFlight = false
        server.requestEnded()
    }

    /// Takes the body piece by piece: the next 16 KiB, or what is left; `nil` at the end. A piece is what a handler can look at
    /// byte by byte within its part of a turn.
    public func slices() -> () -> [UInt8]? {
        { [exchange] in
            let slice = exchange.takeBody(upTo: 16_384)
            return slice.isEmpty ? nil : slice
        }
    }

    /// A parameter of the address, as it was sent (percent-encoded).
    /// - Parameter name: as the route's pattern has it.
    public func parameter(_ name: String) -> Substring {
        guard let index = route.pattern.names.firstIndex(of: name) else {
            preconditionFailure("\(route.pattern.text) has no \(name)")
        }
        return parameters[index]
    }

    /// A parameter of the address, decoded. A wildcard's may hold any number of slashes, and `..` among them.
    /// - Returns: `nil` on a broken escape, or bytes that are not UTF-8.
    public func decodedParameter(_ name: String) -> String? { PercentEncoding.decode(parameter(name)) }

    /// What it calls.
    public var call: Call { exchange.call }

    /// Whether anything stands behind a `?`.
    public var hasQuery: Bool { exchange.query != nil }

    /// The query's parameters. See ``Query/init(parsing:rule:)`` for what is refused.
    public func query() throws(Rejection) -> Query { try Query(parsing: exchange.query, rule: route.query) }
}
