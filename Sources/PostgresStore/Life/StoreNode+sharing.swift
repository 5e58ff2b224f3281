internal import Postgres

// All four sessions, or none. A server has a bound of them (`max_connections`, a role's CONNECTION LIMIT). Where it has too few
// for all nodes, those that each hold some of the last ones would wait for each other for good, and nobody would be served.

extension StoreNode {
    var connections: [PostgresConnection] { [lane, own, tail, reads] }

    /// After so long a session is missing, and not only made anew.
    private static let missed = Duration.seconds(3)

    /// Until the store is closed: tells what this node lacks, and where the server has no session left for it, gives back for a
    /// while those that it has.
    func shareSessions() async {
        var since: ContinuousClock.Instant?
        // Drawn, so that of two nodes one is the first.
        var patience = Duration.zero
        var hasHurried = false
        while !isClosing {
            await sharingBell.wait(atMost: .seconds(1))
            if isClosing { return }
            let missing = connections.filter { $0.state.session == nil }
            guard !missing.isEmpty, missing.count < connections.count else {
                (since, lack) = (nil, nil)
                continue
            }
            guard let begin = since else {
                hasHurried = false
                patience = options.sharing * Double.random(in: 1...2)
                since = .now
                continue
            }
            if begin + Self.missed < .now { lack = missing.lazy.compactMap(\.state.loss).first ?? lack }
            // With a lease it delivers to its devices, which would have to do without it.
            let longest = lease.term() == nil ? patience : patience * 3
            // At a server that only does not answer there is nobody to give way to.
            guard begin + longest < .now, lack?.isOfNumber == true else { continue }
            // Another node may have given way a moment ago: it is asked once more.
            guard hasHurried else {
                for connection in missing { connection.hurry() }
                hasHurried = true
                continue
            }
            since = nil
            yieldSessions()
        }
    }

    private func yieldSessions() {
        let (had, pause) = (connections.count { $0.state.session != nil }, options.sharing * Double.random(in: 1...2))
        options.log(
            "the database has \(had) of the \(connections.count) sessions that this node needs, and no more: it gives them back "
                + "for \(Int(pause / .seconds(1))) s, for another node may lack just those")
        for connection in connections { connection.yield(for: pause) }
    }
}
