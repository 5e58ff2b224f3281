import Base
import PostgresCluster
import Testing

@testable import Postgres

@Suite("Sessions that are lost")
struct LossTests {
    @Test("a session that is terminated in the middle of a call leaves it unknown, and what waits unsent")
    func terminatedInACall() async throws {
        try await withSharedPostgres { server in
            try await withConnections([try options(server.address()) { $0.pipelineDepth = 1 }, try options(server.address())]) {
                peers in
                for peer in peers { try await peer.ready() }
                let sent = peers[0].begin("select pg_sleep(60)")
                let waiting = peers[0].begin("select 1")
                let process = try #require(peers[0].session?.processID)
                try await eventually("it sleeps") {
                    try await peers[1].number(
                        "select count(*) from pg_stat_activity where pid = \(process) and wait_event = 'PgSleep'") == 1
                }
                _ = try await peers[1].rows("select pg_terminate_backend(\(process))")
                guard case .lost(.ended(let error)) = try await sent.outcome().doubt else {
                    throw Failure(description: "\(sent)")
                }
                #expect(error.state == .adminShutdown && error.severity.endsSession && error.state.isOfConnection)
                guard case .notReady(.ended)? = try await waiting.outcome().unavailability else {
                    throw Failure(description: "\(waiting)")
                }
                try await peers[0].ready()
                #expect(peers[0].session?.processID != process)
            }
        }
    }

    @Test("a session that is terminated while it rests says why, and another one follows")
    func terminatedAtRest() async throws {
        try await withSharedPostgres { server in
            try await withConnections([try options(server.address()), try options(server.address())]) { peers in
                for peer in peers { try await peer.ready() }
                _ = try await peers[1].rows("select pg_terminate_backend(\(peers[0].session?.processID ?? 0))")
                try await peers[0].lost("its words") {
                    if case .ended(let error) = $0 { error.state == .adminShutdown } else { false }
                }
                try await eventually("another session") { peers[0].sessions.count == 2 }
                #expect(try await peers[0].number("select 1") == 1)
            }
        }
    }

    @Test("a network that is cut is noticed by the deadline, and found again when it is whole")
    func cut() async throws {
        try await withPostgres { server in
            let proxy = try CutProxy(to: server.port)
            let impatient = try options("postgres://postgres@127.0.0.1:\(proxy.port)/postgres") {
                $0.cancelPatience = .milliseconds(100)
                $0.connectTimeout = .milliseconds(200)
            }
            try await withConnection(impatient) { peer in
                #expect(try await peer.number("select 1") == 1)
                proxy.cut()
                #expect(await peer.call("select 1", deadline: .milliseconds(50)).doubt == .lost(.unresponsive))
                try await peer.lost("silence") { if case .silent = $0 { true } else { false } }
                proxy.mend()
                try await peer.ready()
                #expect(try await peer.number("select 1") == 1)
            }
            proxy.end()
        }
    }

    @Test("bytes that nobody takes break the connection after the user timeout, before any deadline")
    func userTimeout() async throws {
        try await withPostgres { server in
            let proxy = try CutProxy(to: server.port)
            let watchful = try options("postgres://postgres@127.0.0.1:\(proxy.port)/postgres") {
                $0.userTimeout = .milliseconds(300)
            }
            try await withConnection(watchful) { peer in
                proxy.cut()
                var arguments = PostgresArguments()
                arguments.append(bytea: [UInt8](repeating: 0, count: 24 << 20))
                let call = PostgresCall(PostgresStatement("select length($1)"), arguments, deadline: .seconds(60))
                guard case .lost(.broken)? = await peer.connection.call(call).doubt else { throw Failure(description: "no loss") }
            }
            proxy.end()
        }
    }
}
