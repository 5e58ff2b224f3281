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
          (SELECT count(*)::integer FROM pg_stat_activity a WHERE a.usename = session_user AND a.pid <> pg_backend_pid()),
          current_setting('synchronous_standby_names'), current_setting('synchronous_commit'),
          EXISTS (SELECT FROM pg_stat_activity a WHERE a.usename = session_user AND a.wait_event = 'SyncRep'
            AND a.query_start < clock_timestamp() - interval '1 s'),
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
            following: isStandby ? DatabaseHost.Following(isReceiving: try rows.bool(0, 6) ?? false) : nil,
            connections: DatabaseHost.Connections(
                most: Int(try rows.present4(0, 7)), usable: Int(try rows.present4(0, 8)),
                ofRole: try rows.int4(0, 9).map(Int.init),
                ofDatabase: try rows.int4(0, 10).map(Int.init), used: Int(try rows.int4(0, 11) ?? 0),
                own: Int(try rows.int4(0, 12) ?? 0)),
            standbyNames: try rows.text(0, 13) ?? "", commit: try rows.text(0, 14) ?? "",
            waitsForStandby: try rows.bool(0, 15) ?? false,
            clock: (ahead: try rows.present8(0, 16) - before - took / 2, within: took / 2 + 1))
    }

    // MARK: How far it is

    /// In bytes of the log. What was received is told from the start of its segment on when a standby begins anew: then what was
    /// replayed counts.
    private static let position = """
        pg_wal_lsn_diff(CASE WHEN pg_is_in_recovery() THEN greatest(pg_last_wal_receive_lsn(), pg_last_wal_replay_lsn())
          ELSE pg_current_wal_lsn() END, '0/0')::bigint
        """

    /// `nil` where it does not tell.
    func position() async -> Int64? {
        (try? await ShortConnection.with(options) { await Self.position(by: $0) }) ?? nil
    }

    private static func position(by connection: PostgresConnection) async -> Int64? {
        guard case .rows(let rows) = await connection.call(PostgresCall(PostgresStatement("SELECT \(position)"))) else {
            return nil
        }
        return (try? rows.int8(0, 0)) ?? nil
    }

    /// How long a standby has to receive what the primary had, and how often it is asked.
    private static let (patience, pause) = (Duration.seconds(3), Duration.milliseconds(100))

    /// What the host has told, with whether it comes as far as the primary was, if it is a standby of it. That it has a
    /// connection says little: one that cannot follow, since it has what the primary has not, connects again and again.
    /// - Parameters:
    ///   - primary: asked at the same time.
    ///   - end: how far the primary was after that.
    func compared(_ host: DatabaseHost, with primary: DatabaseHost.Standing, notBeyond end: Int64?) async -> DatabaseHost {
        guard var standing = host.standing, standing.isStandby, standing.cluster == primary.cluster else { return host }
        standing.following?.isAhead = end.map { standing.position > $0 } ?? false
        if standing.position < primary.position {
            let last = await position(of: standing, upTo: primary.position)
            standing.following?.missing = max(0, primary.position - last)
            standing.following?.isMoving = last > standing.position
        }
        return DatabaseHost(name: host.name, answer: .standing(standing))
    }

    /// How far it comes in some seconds, on its way to where the primary was.
    private func position(of standing: DatabaseHost.Standing, upTo end: Int64) async -> Int64 {
        let last = try? await ShortConnection.with(options) { connection in
            let clock = ContinuousClock()
            let deadline = clock.now + Self.patience
            var last = standing.position
            while last < end, clock.now < deadline {
                try await clock.sleep(for: Self.pause)
                guard let position = await Self.position(by: connection) else { break }
                last = position
            }
            return last
        }
        return last ?? standing.position
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
