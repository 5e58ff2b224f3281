/// One round over all endpoints. It begins with the one that had the last session, since a server that comes back, or a
/// connection that was cut, is more frequent than another primary; unless that one was of no use.
struct HostRound {
    private var rest: ArraySlice<Endpoint>
    private var failures: [PostgresLoss] = []

    /// - Parameter behind: whether the last one comes last.
    init(_ endpoints: [Endpoint], beginningWith last: Endpoint?, behind: Bool = false) {
        var start = last.flatMap(endpoints.firstIndex) ?? 0
        if behind, last != nil { start = (start + 1) % max(1, endpoints.count) }
        rest = (endpoints[start...] + endpoints[..<start])[...]
    }

    mutating func next() -> Endpoint? { rest.popFirst() }

    /// The one that was tried last did not do.
    mutating func failed(_ loss: PostgresLoss) { failures.append(loss) }

    /// Why none did; `nil` where none was tried.
    var failure: PostgresLoss? { failures.count > 1 ? .everyHost(failures) : failures.first }
}
