/// One round over all endpoints. It begins with the one that had the last session, since a server that comes back, or a
/// connection that was cut, is more frequent than another primary.
struct HostRound {
    private var rest: ArraySlice<Endpoint>
    /// Why the last one did not do; told when none does.
    var failure: PostgresLoss?

    init(_ endpoints: [Endpoint], beginningWith last: Endpoint?) {
        let start = last.flatMap(endpoints.firstIndex) ?? 0
        rest = (endpoints[start...] + endpoints[..<start])[...]
    }

    mutating func next() -> Endpoint? { rest.popFirst() }
}
