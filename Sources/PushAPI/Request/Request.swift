internal import Base
internal import Libevent
internal import Push

/// A request whose address, method, size and framing are in order. A class, so that handing it on copies one reference.
final class Request {
    /// The address's parameter as it was sent.
    let parameter: Substring
    /// The text after `?`.
    let query: String?
    /// What the route knows of it.
    let rule: QueryRule
    let headers: RequestHeaders
    /// Empty for a route that takes none, and for one that reads it by ``slices()``.
    let body: [UInt8]
    /// To be answered by the desk.
    let exchange: HTTPExchange

    /// - Parameter copiesBody: a body that is small enough to be handled in one piece.
    init(_ exchange: HTTPExchange, parameter: Substring, rule: QueryRule, copiesBody: Bool) {
        self.exchange = exchange
        self.parameter = parameter
        self.rule = rule
        query = exchange.query
        headers = RequestHeaders(exchange)
        // Taken, not looked at: while the store decides, a crowd of bodies would keep libevent's buffers (1 KiB each) from being used again, and the
        // allocator, asked for more of them, tidies all its bins every few pushes (700 instructions a push, most of them cache misses).
        body = copiesBody ? exchange.takeBody(upTo: exchange.bodyCount) : []
    }

    /// Takes the body piece by piece: the next 64 KiB, or what is left; `nil` at the end.
    func slices() -> () -> [UInt8]? {
        { [exchange] in
            let slice = exchange.takeBody(upTo: 65_536)
            return slice.isEmpty ? nil : slice
        }
    }

    /// The query's parameters. See ``Query/init(parsing:rule:)`` for what is refused.
    func parameters() throws(Refusal) -> Query { try Query(parsing: query, rule: rule) }

    /// The identifier that the address names.
    /// - Parameter name: under which the interface knows it.
    /// - Throws: 2103 where it cannot be one.
    func identifier<ID: Identifier>(_ name: String) throws(Refusal) -> ID {
        guard let text = PercentEncoding.decode(parameter), let id = ID(text) else { throw Refusal(.invalidValue, field: name) }
        return id
    }

    /// The task that the address names; whether there is one, the store decides.
    var task: TaskID { TaskID(PercentEncoding.decode(parameter) ?? String(parameter)) }

    /// Decodes the body and refuses query parameters, in the interface's order of checks: what is no JSON comes first (2101), then any
    /// query parameter, since a route with a body knows none (2104), then whatever else the body is refused for.
    func decoded<Value>(_ decode: ([UInt8]) throws(Refusal) -> Value) throws(Refusal) -> Value {
        try refuseEncodedBody()
        let value: Value
        do {
            value = try decode(body)
        } catch {
            if error.code != .invalidJSON { _ = try parameters() }
            throw error
        }
        if query != nil { _ = try parameters() }
        return value
    }

    /// A body in any Content-Encoding is refused before it is read.
    /// - Throws: 2103.
    func refuseEncodedBody() throws(Refusal) {
        if headers.hasContentEncoding { throw Refusal(.invalidValue, field: "Content-Encoding") }
    }
}
