internal import Base
internal import Postgres
internal import Push
internal import StoreCore

// Which of the hosts the node's connections are to: one for all of them, and left where it is of no use.

extension StoreNode {
    /// The server answers and commits nothing. It may wait for its standbys, as all do then; or it was superseded, and another
    /// one of the hosts is the primary.
    func leave(_ server: String?) {
        guard let server, options.database.address.namesSeveralHosts else { return }
        for connection in [lane, own, tail, reads] { connection.leave(server) }
    }

    /// All connections are to one server, the one by which the lease was renewed: a primary that was superseded may still answer
    /// those that only read.
    func keepTogether() {
        guard let server = own.state.session?.host else { return }
        for connection in [lane, tail, reads] {
            if let other = connection.state.session?.host, other != server { connection.leave(other) }
        }
    }
}

extension PostgresOutcome {
    /// The server took the call and did not commit it in time. One that is only late may be so behind others.
    var isOfNoUse: Bool {
        switch self {
        case .unknown(.warned), .unknown(.lost(.unresponsive)): true
        default: false
        }
    }
}
