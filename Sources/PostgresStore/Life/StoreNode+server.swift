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
        for connection in connections { connection.leave(server) }
    }

    /// All connections are to one server, the one by which the lease was renewed: a primary that was superseded may still answer
    /// those that only read.
    func keepTogether() {
        guard let server = own.state.session?.host else { return }
        for connection in [lane, tail, reads] {
            if let other = connection.state.session?.host, other != server { connection.leave(other) }
        }
    }

    /// Whether another connection is to the server whose log this node follows: a primary that was superseded may still answer
    /// who only reads, by less than the log has told.
    func isWhereTheLogIs(_ connection: PostgresConnection) -> Bool {
        guard let server = tail.state.session?.host else { return false }
        return connection.state.session?.host == server
    }

    /// Whether a connection reads what this node has followed, be it another server's.
    func reaches(_ position: UInt64, _ connection: PostgresConnection) async -> Bool {
        if isWhereTheLogIs(connection) { return true }
        guard case .rows(let rows) = await timely(connection, Statements.applied, { _ in }) else { return false }
        return ((try? rows.position(0, 1)) ?? 0) >= position
    }

    /// Sessions of this role whose commits a standby was to confirm a while ago.
    private static let waiting = PostgresStatement(
        """
        SELECT count(*) FROM pg_catalog.pg_stat_activity
        WHERE usename = session_user AND wait_event = 'SyncRep' AND query_start < clock_timestamp() - interval '0.5 s'
        """)

    /// Whether the server is up and commits wait for a standby. Who only reads is answered all the same.
    func waitsForStandby() async -> Bool {
        let call = PostgresCall(Self.waiting, deadline: .milliseconds(500))
        guard case .rows(let rows) = await reads.call(call) else { return false }
        return ((try? rows.int8(0, 0)) ?? nil) ?? 0 > 0
    }

    /// For how long that is told after it was seen last.
    static let standbyIsMissed = Duration.seconds(30)

    static let noStandby = BilingualText(
        "数据库在等待同步备库确认提交，而没有备库确认",
        "the database waits for a synchronous standby to confirm what it commits, and none does")

    static let anyStandby = BilingualText(
        "请启动 synchronous_standby_names 所列的一台备库，并检查它能否连到主库",
        "start a standby that synchronous_standby_names names, and see that it reaches the primary")
}

extension PostgresState {
    /// Whether there is a session, or nothing has said yet that there cannot be one: it was given up here, since the server
    /// commits nothing, and is made anew.
    var mayBeReached: Bool {
        switch self {
        case .ready, .connecting, .lost(.abandoned), .lost(.unresponsive): true
        case .lost, .closed: false
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
