import Base
import PostgresCluster
import Testing

@testable import Postgres

@Suite("Deadlines")
struct DeadlineTests {
    @Test("what the server works on is cancelled, certainly, and the connection goes on")
    func cancelled() async throws {
        try await withSharedPostgres { server in
            try await withConnection(try options(server.address()) { $0.cancelPatience = .seconds(30) }) { peer async throws in
                let late = peer.begin("select pg_sleep(60)", deadline: .milliseconds(50))
                let behind = peer.begin("select 1")
                #expect(try await late.outcome().failure?.state == .queryCanceled)
                #expect(try await behind.outcome().rows?.count == 1)
                #expect(try await peer.number("select 1") == 1)
                #expect(peer.losses.isEmpty)
            }
        }
    }

    @Test("what was not sent is not sent any more")
    func neverSent() async throws {
        try await withSharedPostgres { server in
            try await withConnection(try options(server.address()) { $0.pipelineDepth = 1 }) { peer async throws in
                _ = try await peer.rows("create temp table t()")
                let first = peer.begin("select pg_sleep(0.2)")
                let late = peer.begin("insert into t default values", deadline: .milliseconds(50))
                #expect(try await late.outcome().unavailability == .late)
                #expect(!first.hasCome)
                #expect(try await first.outcome().rows?.count == 1)
                #expect(try await peer.number("select count(*) from t") == 0)
            }
        }
    }

    @Test("what stands behind a longer call is unknown at its deadline, and the longer one is not disturbed")
    func behind() async throws {
        try await withSharedPostgres { server in
            try await withConnection(try options(server.address())) { peer async throws in
                let long = peer.begin("select pg_sleep(0.3)")
                let late = peer.begin("select 1", deadline: .milliseconds(50))
                #expect(try await late.outcome().doubt == .late)
                #expect(!long.hasCome)
                #expect(try await long.outcome().rows?.count == 1)
                #expect(try await peer.number("select 1") == 1)
                #expect(peer.losses.isEmpty)
            }
        }
    }

    @Test("a server that stands still is given up, and found again when it goes on")
    func paused() async throws {
        try await withPostgres { server in
            let impatient = try options(server.address()) {
                $0.cancelPatience = .milliseconds(100)
                $0.connectTimeout = .milliseconds(200)
            }
            try await withConnection(impatient) { peer in
                server.pause()
                let late = peer.begin("select 1", deadline: .milliseconds(50))
                let behind = peer.begin("select 1")
                #expect(try await late.outcome().doubt == .lost(.unresponsive))
                #expect(try await behind.outcome().doubt == .lost(.unresponsive))
                try await peer.lost("silence") { if case .silent = $0 { true } else { false } }
                server.resume()
                try await peer.ready()
                #expect(try await peer.number("select 1") == 1)
            }
        }
    }
}
