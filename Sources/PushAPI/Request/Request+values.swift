internal import Push
internal import Web

extension BodyRule {
    /// A JSON text, no larger than `--max-body` allows.
    static let json = BodyRule.whole
    /// Newline-delimited JSON of at most 64 MiB.
    static let lines = BodyRule.pieces(upTo: 64 << 20)
}

extension Request where Service: APIFront {
    /// The identifier that the address names.
    /// - Parameter name: of the address's parameter, and of the field at fault.
    /// - Throws: 2103 where it cannot be one.
    func identifier<ID: Identifier>(_ name: String) throws(Refusal) -> ID {
        let sent = String(parameter(name))
        guard let text = decodedParameter(name) else {
            throw Refusal(.invalidValue, field: name, .expected(.percentEncoding, Excerpt(sent)))
        }
        guard let id = ID(text) else { throw Refusal(.invalidValue, field: name, .expected(.identifier, Excerpt(text))) }
        return id
    }

    /// The task that the address names; whether there is one, the store decides.
    var task: TaskID { TaskID(decodedParameter("task_id") ?? String(parameter("task_id"))) }

    /// Decodes the body and refuses query parameters, in the interface's order of checks: what is no JSON comes first (2101),
    /// then any query parameter, since a route with a body knows none (2104), then whatever else the body is refused for.
    func decoded<Value>(_ decode: ([UInt8]) throws(Refusal) -> Value) throws(Refusal) -> Value {
        try refuseEncodedBody()
        let value: Value
        do {
            value = try decode(body)
        } catch {
            if error.code != .invalidJSON { try refuseQuery() }
            throw error
        }
        if hasQuery { try refuseQuery() }
        return value
    }

    /// For a call that says everything by its address: a body that says nothing, none or `{}`, is taken, since many clients
    /// send one with every POST.
    /// - Throws: 2101 to 2104, also for query parameters.
    func refuseContent() throws(Refusal) {
        guard !body.isEmpty else { return try refuseQuery() }
        try decoded { body throws(Refusal) in try EmptyBody.decode(body) }
    }

    /// A body in any Content-Encoding is refused before it is read.
    /// - Throws: 2103.
    func refuseEncodedBody() throws(Refusal) {
        if headers.hasContentEncoding { throw Refusal(.invalidValue, field: "Content-Encoding", .expected(.nothing)) }
    }

    private func refuseQuery() throws(Refusal) {
        do {
            _ = try query()
        } catch {
            throw Refusal(for: error)
        }
    }
}
