internal import Base
internal import Postgres
internal import Push

/// What one host is asked, by short sessions of their own. Nothing is changed by it, and any role that may connect may ask it.
struct HostQuestion: Sendable {
    /// With an address of that host alone.
    private let options: PostgresOptions

    init(of database: PostgresOptions, at place: PostgresAddress) {
        var options = database
        (options.address, options.targetSessionAttributes) = (place, "any")
        self.options = options
    }

    func answer() async -> DatabaseHost {
        let answer: DatabaseHost.Answer
        do {
            answer = .standing(try await ShortConnection.with(options) { try await Self.standing(by: $0) })
        } catch let failure as MigrationFailure {
            answer = .refused(DatabaseHost.Refusal(text: failure.text, cause: DatabaseHost.Refusal.Cause(failure.loss)))
        } catch {
            answer = .refused(DatabaseHost.Refusal(text: BilingualText(quoting: "\(error)", of: "系统"), cause: .other))
        }
        return DatabaseHost(name: options.address.hostNames, answer: answer)
    }

    // MARK: How it stands

    private static let standing = PostgresStatement(
        """
        SELECT current_setting('server_version_num')::integer, (SELECT c.system_identifier FROM pg_control_system() c),
          (extract(epoch FROM pg_postmaster_start_time()) * 1000000)::bigint,
          CASE WHEN pg_is_in_recovery() THEN 0
            ELSE ('x' || left(pg_walfile_name(pg_current_wal_lsn()), 8))::bit(32)::integer END,
          \(position), pg_is_in_recovery(), EXISTS (SELECT FROM pg_stat_wal_receiver),
          current_setting('max_connections')::integer,
          current_setting('max_connections')::integer - current_setting('superuser_reserved_connections')::integer
            - coalesce(nullif(current_setting('reserved_connections', true), ''), '0')::integer,
          (SELECT nullif(r.rolconnlimit, -1) FROM pg_roles r WHERE r.rolname = session_user AND NOT r.rolsuper),
          (SELECT nullif(d.datconnlimit, -1) FROM pg_database d WHERE d.datname = current_database()),
          (SELECT sum(d.numbackends)::integer FROM pg_stat_database d),
          (SELECT count(*)::integer FROM pg_stat_activity a WHERE a.usename = session_user),
          current_setting('synchronous_standby_names'), current_setting('synchronous_commit'),
          (SELECT bool_and(r.sync_state NOT IN ('sync', 'quorum')) FROM pg_stat_replication r WHERE r.sync_state IS NOT NULL),
          current_setting('default_transaction_read_only')::boolean,
          (extract(epoch FROM clock_timestamp()) * 1000)::bigint
        """)

    private static func standing(by connection: PostgresConnection) async throws -> DatabaseHost.Standing {
        // Asked once before: what the first time takes to look up would blur the clock.
        _ = await connection.call(PostgresCall(standing))
        let (before, began) = (WallClock.milliseconds, MonotonicClock.nanoseconds)
        let outcome = await connection.call(PostgresCall(standing))
        let took = (MonotonicClock.nanoseconds - began) / 1_000_000
        guard case .rows(let rows) = outcome, rows.count == 1 else {
            throw MigrationFailure(text: outcome.wordsWithRemedy)
        }
        guard let isStandby = try rows.bool(0, 5) else { throw PostgresShapeError.null }
        return DatabaseHost.Standing(
            version: Int(try rows.present4(0, 0)), cluster: try rows.present8(0, 1), started: try rows.present8(0, 2),
            timeline: Int(try rows.present4(0, 3)), position: try rows.present8(0, 4),
            following: isStandby ? DatabaseHost.Following(isConnected: try rows.bool(0, 6) ?? false) : nil,
            connections: DatabaseHost.Connections(
                most: Int(try rows.present4(0, 7)), usable: Int(try rows.present4(0, 8)),
                ofRole: try rows.int4(0, 9).map(Int.init),
                ofDatabase: try rows.int4(0, 10).map(Int.init), used: Int(try rows.int4(0, 11) ?? 0),
                own: Int(try rows.int4(0, 12) ?? 0)),
            onlyReads: try rows.bool(0, 16) ?? false, standbyNames: try rows.text(0, 13) ?? "",
            commit: try rows.text(0, 14) ?? "", waitsForStandby: try await waitsForStandby(connection),
            isWithoutSync: try rows.bool(0, 15), readers: nil,
            clock: (ahead: try rows.present8(0, 17) - before - took / 2, within: took / 2 + 1))
    }

    private static let waiting = PostgresStatement(
        """
        SELECT array_agg(hashtextextended(a.pid || ' ' || a.query_start, 0)) FROM pg_stat_activity a
        WHERE a.usename = session_user AND a.wait_event = 'SyncRep'
        """)

    /// Whether the commit of one statement is seen to wait twice, a second apart: how long each has waited nothing tells.
    private static func waitsForStandby(_ connection: PostgresConnection) async throws -> Bool {
        let before = try await waiting(connection)
        guard !before.isEmpty else { return false }
        try await Task.sleep(for: .seconds(1))
        return !before.isDisjoint(with: try await waiting(connection))
    }

    private static func waiting(_ connection: PostgresConnection) async throws -> Set<Int64> {
        guard case .rows(let rows) = await connection.call(PostgresCall(waiting)), rows.count == 1 else { return [] }
        return Set(try rows.array(0, 0, of: .int8)?.int8s() ?? [])
    }

    private static let readers = PostgresStatement("SELECT count(*) FROM pg_stat_replication")

    /// How many are connected to read its log; `nil` where it does not tell.
    func readers() async -> Int? {
        let outcome = try? await ShortConnection.with(options) { await $0.call(PostgresCall(Self.readers)) }
        guard case .rows(let rows)? = outcome else { return nil }
        return ((try? rows.int8(0, 0)) ?? nil).map(Int.init)
    }

    // MARK: How far it is

    /// In bytes of the log. What was received is told from the start of its segment on when a standby begins anew: then what was
    /// replayed counts.
    private static let position = """
        pg_wal_lsn_diff(CASE WHEN pg_is_in_recovery() THEN greatest(pg_last_wal_receive_lsn(), pg_last_wal_replay_lsn())
          ELSE pg_current_wal_lsn() END, '0/0')::bigint
        """

    private static let place = PostgresStatement("SELECT \(position), EXISTS (SELECT FROM pg_stat_wal_receiver)")

    /// How far it is, and whether it is connected to another one; `nil` where it does not tell.
    func place() async -> (position: Int64, isConnected: Bool)? {
        (try? await ShortConnection.with(options) { await Self.place(by: $0) }) ?? nil
    }

    private static func place(by connection: PostgresConnection) async -> (position: Int64, isConnected: Bool)? {
        guard case .rows(let rows) = await connection.call(PostgresCall(place)), rows.count == 1,
            let position = (try? rows.int8(0, 0)) ?? nil, let isConnected = (try? rows.bool(0, 1)) ?? nil
        else { return nil }
        return (position, isConnected)
    }

    /// How long a standby has to connect and to receive what the primary had, since it tries each `wal_retrieve_retry_interval`
    /// (5 s where nothing else is set); and how often it is asked.
    private static let (patience, pause) = (Duration.seconds(6), Duration.milliseconds(100))

    /// What the host has told, with whether it comes as far as the primary was, if it is a standby of it. That it has a
    /// connection says little: one that cannot follow, since it has what the primary has not, connects again and again.
    /// - Parameters:
    ///   - primary: asked at the same time.
    ///   - end: how far the primary was after that.
    func compared(_ host: DatabaseHost, with primary: DatabaseHost.Standing, notBeyond end: Int64?) async -> DatabaseHost {
        guard var standing = host.standing, var following = standing.following, standing.cluster == primary.cluster else {
            return host
        }
        following.isAhead = end.map { standing.position > $0 } ?? false
        if !following.isAhead, !following.isConnected || standing.position < primary.position,
            let last = await place(of: standing, upTo: primary.position)
        {
            following.isConnected = last.isConnected
            following.missing = max(0, primary.position - last.position)
            following.isMoving = last.position > standing.position
        }
        standing.following = following
        return DatabaseHost(name: host.name, answer: .standing(standing))
    }

    /// How far it comes in some seconds, on its way to where the primary was.
    private func place(of standing: DatabaseHost.Standing, upTo end: Int64) async -> (position: Int64, isConnected: Bool)? {
        let asked = try? await ShortConnection.with(options) { connection in
            let clock = ContinuousClock()
            let deadline = clock.now + Self.patience
            var last = await Self.place(by: connection)
            while clock.now < deadline, let place = last, !place.isConnected || place.position < end {
                try await clock.sleep(for: Self.pause)
                last = await Self.place(by: connection)
            }
            return last
        }
        return asked ?? nil
    }

    // MARK: What nodes find there

    private static let living = PostgresStatement("SELECT count(DISTINCT n.name) FROM psp.nodes_1() n WHERE n.lease > 0")

    /// How many nodes live, and what is to be done about the tables; `nil` where that cannot be told, or where nothing is.
    func store() async -> (nodes: Int?, unfitTables: BilingualText?) {
        do {
            return try await ShortConnection.with(options) { connection in
                let version = try await SchemaMigration(connection: connection).version()
                guard Schema.fits(version) else { return (nil, MigrationFailure.unfit(version).text) }
                guard case .rows(let rows) = await connection.call(PostgresCall(Self.living)) else { return (nil, nil) }
                return (((try? rows.int8(0, 0)) ?? nil).map(Int.init), nil)
            }
        } catch let failure as MigrationFailure where failure.loss == nil {
            return (nil, failure.text)
        } catch {
            // It was there a moment ago: its tables are not to blame.
            return (nil, nil)
        }
    }
}

extension DatabaseHost.Refusal.Cause {
    init(_ loss: PostgresLoss?) {
        switch loss {
        case .password: self = .password
        case .refused(_, _, let state?) where state.isOfAuthorization || state == .undefinedDatabase: self = .access
        // A host of several addresses: all of them are it.
        case .everyHost(let losses) where losses.contains { Self($0) == .access }: self = .access
        default: self = .other
        }
    }
}
