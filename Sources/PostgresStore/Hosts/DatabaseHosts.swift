internal import Base
public import Postgres
public import Push

/// All hosts that a database's address names, each asked by itself: a node uses the one that takes writes, and what is wrong with
/// another one shows only when that has become the primary.
public struct DatabaseHosts: Sendable {
    /// In the address's order.
    public let all: [DatabaseHost]
    /// How many nodes live by the primary's account; `nil` where no host could tell.
    public let nodes: Int?
    /// What is to be done about the primary's tables; `nil` where they are those of this program, or nobody could look.
    public let unfitTables: BilingualText?

    init(_ all: [DatabaseHost], nodes: Int?, unfitTables: BilingualText?) {
        (self.all, self.nodes, self.unfitTables) = (all, nodes, unfitTables)
    }

    /// Asks them at the same time. A host that does not answer has as long as a node gives it.
    public init(of database: PostgresOptions) async {
        let found = await withTaskGroup(of: (Int, Found).self) { group in
            for (index, address) in database.address.eachHost.enumerated() {
                var options = database
                options.address = address
                options.targetSessionAttributes = "any"
                group.addTask { [options] in (index, await Self.ask(options)) }
            }
            return await group.reduce(into: [Int: Found]()) { $0[$1.0] = $1.1 }
        }
        let inOrder = found.sorted { $0.key < $1.key }.map(\.value)
        all = inOrder.map(\.host)
        let primary = inOrder.first { $0.host.standing?.isStandby == false }
        nodes = primary?.nodes
        unfitTables = primary?.unfitTables
    }

    private struct Found: Sendable {
        var host: DatabaseHost
        var nodes: Int?
        var unfitTables: BilingualText?
    }

    private static func ask(_ options: PostgresOptions) async -> Found {
        let name = options.address.hostNames
        do {
            return try await ShortConnection.with(options) { connection in
                let standing = try await standing(by: connection)
                let host = DatabaseHost(name: name, answer: .standing(standing))
                guard !standing.isStandby else { return Found(host: host) }
                let version: Int
                do throws(MigrationFailure) { version = try await SchemaMigration(connection: connection).version() } catch {
                    return Found(host: host, unfitTables: error.text)
                }
                // Of the next version, too, nodes can be counted, and go on.
                let isFit = PostgresStore.schemaVersion...PostgresStore.schemaVersion + 1 ~= version
                return Found(
                    host: host, nodes: isFit ? await livingNodes(by: connection) : nil,
                    unfitTables: isFit ? nil : MigrationFailure.unfit(version).text)
            }
        } catch let failure as MigrationFailure {
            return Found(host: DatabaseHost(name: name, answer: .refused(failure.text)))
        } catch {
            return Found(host: DatabaseHost(name: name, answer: .refused(BilingualText(quoting: "\(error)", of: "系统"))))
        }
    }

    /// What a role that has no rights but to connect may ask.
    private static let question = PostgresStatement(
        """
        SELECT current_setting('server_version_num')::integer, (SELECT c.system_identifier FROM pg_control_system() c),
          pg_is_in_recovery(), EXISTS (SELECT FROM pg_stat_wal_receiver),
          pg_wal_lsn_diff(CASE WHEN pg_is_in_recovery() THEN greatest(pg_last_wal_receive_lsn(), pg_last_wal_replay_lsn())
            ELSE pg_current_wal_lsn() END, '0/0')::bigint,
          current_setting('max_connections')::integer,
          least(current_setting('max_connections')::integer - current_setting('superuser_reserved_connections')::integer
              - coalesce(nullif(current_setting('reserved_connections', true), ''), '0')::integer,
            (SELECT nullif(r.rolconnlimit, -1) FROM pg_roles r WHERE r.rolname = session_user),
            (SELECT nullif(d.datconnlimit, -1) FROM pg_database d WHERE d.datname = current_database())),
          (SELECT sum(d.numbackends)::integer FROM pg_stat_database d),
          current_setting('synchronous_standby_names'), current_setting('synchronous_commit'),
          (extract(epoch FROM clock_timestamp()) * 1000)::bigint
        """)

    private static func standing(by connection: PostgresConnection) async throws -> DatabaseHost.Standing {
        // Asked once before: what the first time takes to look up would blur the clock.
        _ = await connection.call(PostgresCall(question))
        let (before, began) = (WallClock.milliseconds, MonotonicClock.nanoseconds)
        let outcome = await connection.call(PostgresCall(question))
        let took = (MonotonicClock.nanoseconds - began) / 1_000_000
        guard case .rows(let rows) = outcome, rows.count == 1 else {
            throw MigrationFailure(text: outcome.wordsWithRemedy)
        }
        let within = took / 2 + 1
        return DatabaseHost.Standing(
            version: Int(try rows.present4(0, 0)), cluster: try rows.present8(0, 1), isStandby: try rows.bool(0, 2) ?? false,
            isReceiving: try rows.bool(0, 3) ?? false, position: try rows.int8(0, 4) ?? 0,
            connections: Int(try rows.present4(0, 5)), ownConnections: Int(try rows.present4(0, 6)),
            usedConnections: Int(try rows.int4(0, 7) ?? 0), standbyNames: try rows.text(0, 8) ?? "",
            commit: try rows.text(0, 9) ?? "", clock: (try rows.present8(0, 10) - before - took / 2, within))
    }

    private static let living = PostgresStatement("SELECT count(DISTINCT n.name) FROM psp.nodes_1() n WHERE n.lease > 0")

    private static func livingNodes(by connection: PostgresConnection) async -> Int? {
        guard case .rows(let rows) = await connection.call(PostgresCall(living)) else { return nil }
        return ((try? rows.int8(0, 0)) ?? nil).map(Int.init)
    }
}
