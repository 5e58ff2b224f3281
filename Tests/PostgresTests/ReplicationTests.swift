import Base
import PostgresCluster
import Testing

@testable import Postgres

@Suite("A primary and its synchronous standby")
struct ReplicationTests {
    @Test("whoever cancels the wait for the standby leaves the outcome unknown; so does who terminates it, or a deadline")
    func cancelledWait() async throws {
        try await withPostgresPair { pair in
            let primary = try options(pair.primary.address()) { $0.cancelPatience = .seconds(30) }
            try await withConnections([primary, try options(pair.primary.address())]) { peers in
                let (peer, other) = (peers[0], peers[1])
                for peer in peers { try await peer.ready() }
                try await eventually("commits wait for the standby") {
                    try await other.rows("show synchronous_standby_names").text(0, 0) == "ANY 1 (standby)"
                }
                _ = try await peer.rows("create table t(id int8)")
                pair.standby.pause()

                let cancelled = peer.begin("insert into t values (1)")
                try await waits(peer, seenBy: other)
                _ = try await other.rows("select pg_cancel_backend(\(peer.session?.processID ?? 0))")
                guard case .warned(let warning)? = try await cancelled.outcome().doubt else {
                    throw Failure(description: "no doubt")
                }
                #expect(warning.message.contains("canceling wait for synchronous replication"))
                // It is there, but on this server alone.
                #expect(try await other.number("select count(*) from t") == 1)
                #expect(peer.losses.isEmpty)

                let late = peer.begin("insert into t values (2)", deadline: .milliseconds(100))
                guard case .warned? = try await late.outcome().doubt else { throw Failure(description: "no doubt") }
                #expect(peer.losses.isEmpty)

                let terminated = peer.begin("insert into t values (3)")
                try await waits(peer, seenBy: other)
                _ = try await other.rows("select pg_terminate_backend(\(peer.session?.processID ?? 0))")
                guard case .lost? = try await terminated.outcome().doubt else { throw Failure(description: "no doubt") }
                #expect(try await other.number("select count(*) from t") == 3)
                pair.standby.resume()
            }
        }
    }

    @Test("a call that is late is on this server alone only if it is cancelled")
    func lateWait() async throws {
        try await withPostgresPair { pair in
            let primary = try options(pair.primary.address()) {
                $0.cancels = false
                $0.cancelPatience = .milliseconds(100)
            }
            try await withConnections([primary, try options(pair.primary.address())]) { peers in
                let (peer, other) = (peers[0], peers[1])
                for peer in peers { try await peer.ready() }
                try await eventually("commits wait for the standby") {
                    try await other.rows("show synchronous_standby_names").text(0, 0) == "ANY 1 (standby)"
                }
                _ = try await peer.rows("create table t(id int8)")
                pair.standby.pause()
                let late = peer.begin("insert into t values (1)", deadline: .milliseconds(100))
                guard try await late.outcome().doubt != nil else { throw Failure(description: "no doubt") }
                try await peer.lost("it is given up") { $0 == .unresponsive }
                #expect(try await other.number("select count(*) from t") == 0, "nobody sees it")
                pair.standby.resume()
                try await eventually("it is on both") { try await other.number("select count(*) from t") == 1 }
            }
        }
    }

    private func waits(_ peer: Observed, seenBy other: Observed) async throws {
        let process = peer.session?.processID ?? 0
        try await eventually("it waits for the standby") {
            try await other.number("select count(*) from pg_stat_activity where pid = \(process) and wait_event = 'SyncRep'") == 1
        }
    }

    @Test("another primary is found among the hosts, with all that was answered")
    func switched() async throws {
        try await withPostgresPair { pair in
            try await withConnection(try options(pair.address) { $0.connectTimeout = .milliseconds(500) }) { peer in
                #expect(peer.session?.host == "127.0.0.1 port \(pair.primary.port)")
                _ = try await peer.rows("create table t(id int8)")
                try await eventually("commits wait for the standby") {
                    try await peer.rows("show synchronous_standby_names").text(0, 0) == "ANY 1 (standby)"
                }
                #expect(await peer.call("insert into t values (1)").rows?.affected == 1)
                await pair.primary.crash()
                // The standby is there, but only reads.
                try await peer.lost("a refusal") { $0.description.contains("only reads, as a standby does") }
                try await pair.standby.promote()
                try await peer.ready()
                #expect(peer.session?.host == "127.0.0.1 port \(pair.standby.port)")
                #expect(try await peer.number("select count(*) from t") == 1)
            }
        }
    }

    @Test("who is content with a standby sees that it becomes a primary")
    func promoted() async throws {
        try await withPostgresPair { pair in
            try await withConnection(try options(pair.standby.address(["target_session_attrs=any"]))) { peer in
                #expect(peer.session?.isInHotStandby == true)
                #expect(await peer.call("create table t()").failure?.state == .readOnlyTransaction)
                #expect(peer.isReady)
                try await pair.standby.promote()
                try await eventually("it is none any more") {
                    // The server tells it beside an answer.
                    _ = try await peer.rows("select 1")
                    return peer.session?.isInHotStandby == false
                }
                #expect(peer.losses.isEmpty)
            }
        }
    }

    @Test("a server that writes no more is left for one that does")
    func demoted() async throws {
        try await withPostgres { server in
            try await withConnection(try options(server.address())) { peer in
                let one = peer.begin("set session characteristics as transaction read only")
                let refused = peer.begin("create table t()")
                #expect(try await one.outcome().rows != nil)
                #expect(try await refused.outcome().failure?.state == .readOnlyTransaction)
                try await eventually("another session") { peer.sessions.count == 2 }
                #expect(peer.losses == [.readOnly])
                #expect(await peer.call("create table t()").rows != nil)
            }
        }
    }
}
