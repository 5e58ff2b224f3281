public import Libevent

/// The checks that come before a handler sees a request, in this order: address, method, size, framing, access.
extension Front {
    /// Admits a request to its route.
    /// - Throws: the first check that fails: a ``Rejection``, or what ``admit(_:to:)`` throws.
    @inlinable
    func examine(_ exchange: HTTPExchange) throws -> Request<Self> {
        let match = try Self.routes.match(exchange.method, exchange.rawPath)
        let limits = server.limits
        guard exchange.headerBytes <= limits.maxHeaderBytes else { throw Rejection.headTooLarge(limit: limits.maxHeaderBytes) }
        let body = match.route.body
        guard exchange.bodyCount <= body.limit else { throw Rejection.bodyTooLarge(limit: body.limit) }
        guard exchange.framing == .ok else { throw Rejection.framing(exchange.framing) }
        guard exchange.bodyCount == 0 || body != .none else { throw Rejection.unexpectedBody }
        let headers = Headers(of: exchange)
        return Request(exchange, to: match, headers: headers, caller: try admit(headers, to: match.route.access))
    }
}

extension HeaderFields {
    @inlinable
    init(of exchange: HTTPExchange) {
        self.init()
        exchange.forEachHeader { collect(name: $0, value: $1) }
    }
}
