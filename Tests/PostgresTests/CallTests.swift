import Base
import PostgresCluster
import Testing

@testable import Postgres

@Suite("Calls")
struct CallTests {
    @Test("an error says its code, what it is about and what may help")
    func errors() async throws {
        try await withSharedPostgres { server in
            try await withConnection(try options(server.address())) { peer in
                _ = try await peer.rows("create temp table t(id int8 constraint once unique)")
                #expect(try await peer.rows("insert into t values (1)").affected == 1)
                let error = try #require(await peer.call("insert into t values (1)").failure)
                #expect(error.state == .uniqueViolation)
                #expect(error.constraint == "once")
                #expect(error.severity == .error)
                #expect(error.detail == "Key (id)=(1) already exists.")
                let hinted = try #require(
                    await peer.call("do $$ begin raise 'no' using hint = 'try', errcode = '40001'; end $$").failure)
                #expect(hinted.hint == "try" && hinted.message == "no" && hinted.state.isOfConcurrency)
                #expect(try await peer.number("select 5") == 5)
            }
        }
    }

    @Test("calls that are on their way together are carried out in order, and one that fails fails alone")
    func pipeline() async throws {
        try await withSharedPostgres { server in
            try await withConnection(try options(server.address())) { peer in
                _ = try await peer.rows("create temp table t(id int8 primary key, place serial)")
                let insert = PostgresStatement("insert into t(id) values ($1) returning id")
                // Every third is there already.
                let answers = (0..<150).map { number in
                    var arguments = PostgresArguments()
                    arguments.append(int8: Int64(number - (number % 3 == 2 ? 1 : 0)))
                    return peer.begin(PostgresCall(insert, arguments))
                }
                for (number, answer) in answers.enumerated() {
                    let outcome = try await answer.outcome()
                    if number % 3 == 2 {
                        #expect(outcome.failure?.state == .uniqueViolation)
                    } else {
                        #expect(try outcome.rows?.int8(0, 0) == Int64(number))
                    }
                }
                let order = try await peer.rows("select array_agg(id order by place) from t")
                #expect(try order.array(0, 0, of: .int8)?.int8s() == (0..<150).filter { $0 % 3 != 2 }.map(Int64.init))
            }
        }
    }

    @Test("what fails when it is committed has failed, and its neighbours have not")
    func failsAtCommit() async throws {
        try await withSharedPostgres { server in
            try await withConnection(try options(server.address())) { peer async throws in
                _ = try await peer.rows("create temp table t(id int8 unique deferrable initially deferred)")
                let answers = [1, 1, 2].map { peer.begin("insert into t values (\($0))") }
                #expect(try await answers[0].outcome().rows?.affected == 1)
                #expect(try await answers[1].outcome().failure?.state == .uniqueViolation)
                #expect(try await answers[2].outcome().rows?.affected == 1)
                #expect(try await peer.number("select count(*) from t") == 2)
            }
        }
    }

    @Test("a statement that cannot be prepared fails as often as it is called, until it can be")
    func prepareFails() async throws {
        try await withSharedPostgres { server in
            try await withConnection(try options(server.address())) { peer in
                let statement = PostgresStatement("select count(*) from later")
                for _ in 0..<2 {
                    #expect(await peer.connection.call(PostgresCall(statement)).failure?.state == "42P01")
                }
                _ = try await peer.rows("create temp table later()")
                for _ in 0..<2 {
                    #expect(try await peer.connection.call(PostgresCall(statement)).rows?.int8(0, 0) == 0)
                }
            }
        }
    }

    @Test("an answer with more rows or bytes than there is room for is told so, and the connection goes on")
    func tooLarge() async throws {
        try await withSharedPostgres { server in
            try await withConnection(try options(server.address())) { peer async throws in
                let many = PostgresStatement("select generate_series(1, 10000)")
                let large = PostgresStatement("select repeat('x', 1000) from generate_series(1, 100)")
                let answers = [
                    peer.begin(PostgresCall(many, mostRows: 9999)), peer.begin(PostgresCall(many, mostRows: 10_000)),
                    peer.begin(PostgresCall(large, mostBytes: 99_999)), peer.begin(PostgresCall(large, mostBytes: 100_000)),
                ]
                #expect(try await answers[0].outcome().isTooLarge)
                #expect(try await answers[1].outcome().rows?.count == 10_000)
                #expect(try await answers[2].outcome().isTooLarge)
                #expect(try await answers[3].outcome().rows?.byteCount == 100_000)
                #expect(peer.losses.isEmpty)
            }
        }
    }

    @Test("an argument of many megabytes goes while others are answered, and comes back")
    func largeArgument() async throws {
        try await withSharedPostgres { server in
            try await withConnection(try options(server.address())) { peer async throws in
                var arguments = PostgresArguments()
                arguments.append(bytea: [UInt8](repeating: 7, count: 24 << 20))
                let echo = PostgresStatement("select $1")
                let answer = peer.begin(PostgresCall(echo, arguments, deadline: .seconds(60), mostBytes: 32 << 20))
                let behind = peer.begin("select 1")
                #expect(try await answer.outcome().rows?.byteCount == 24 << 20)
                #expect(try await behind.outcome().rows?.count == 1)
            }
        }
    }

    @Test("a script is carried out as a whole or not at all, in its turn")
    func scripts() async throws {
        try await withSharedPostgres { server in
            try await withConnection(try options(server.address())) { peer async throws in
                let before = peer.begin("select 1")
                let script = peer.begin(
                    PostgresCall(script: "create temp table a(x int); insert into a values (1), (2); select * from a;"))
                let after = peer.begin("select count(*) from a")
                #expect(try await before.outcome().rows?.count == 1)
                #expect(try await script.outcome().rows?.count == 0)
                #expect(try await after.outcome().rows?.int8(0, 0) == 2)
                let broken = await peer.connection.call(
                    PostgresCall(script: "insert into a values (3); insert into nothing values (1);"))
                #expect(broken.failure?.state == "42P01")
                #expect(try await peer.number("select count(*) from a") == 2)
            }
        }
    }

    @Test("success with a warning is unknown, unless the call says that warnings mean nothing")
    func warnings() async throws {
        try await withSharedPostgres { server in
            try await withConnection(try options(server.address())) { peer in
                let statement = PostgresStatement("do $$ begin raise warning 'beware'; raise notice 'look'; end $$")
                let doubt = try #require(await peer.connection.call(PostgresCall(statement)).doubt)
                guard case .warned(let warning) = doubt else { throw Failure(description: "\(doubt)") }
                #expect(warning.message == "beware" && warning.state == .warning)
                var call = PostgresCall(statement)
                call.warningMeansUnknown = false
                #expect(await peer.connection.call(call).rows != nil)
                #expect(await peer.call("do $$ begin raise notice 'look'; end $$").rows != nil)
            }
        }
    }

    @Test("calls come from any thread, and each is answered once")
    func threads() async throws {
        try await withSharedPostgres { server in
            try await withConnection(try options(server.address()) { $0.pipelineDepth = 8 }) { peer in
                let double = PostgresStatement("select 2 * $1")
                let sums = try await withThrowingTaskGroup(of: Int64.self) { group in
                    for task in 0..<4 {
                        group.addTask {
                            var sum: Int64 = 0
                            for number in 0..<25 {
                                var arguments = PostgresArguments()
                                arguments.append(int8: Int64(task * 25 + number))
                                sum += try await peer.connection.call(PostgresCall(double, arguments)).rows?.int8(0, 0) ?? 0
                            }
                            return sum
                        }
                    }
                    return try await group.reduce(0, +)
                }
                #expect(sums == 9900)
            }
        }
    }

    @Test("an answer may make the next call")
    func chain() async throws {
        try await withSharedPostgres { server in
            try await withConnection(try options(server.address())) { peer async throws in
                let add = PostgresStatement("select $1 + 1")
                let end = Answer()
                @Sendable func go(from number: Int64) {
                    var arguments = PostgresArguments()
                    arguments.append(int8: number)
                    peer.connection.call(PostgresCall(add, arguments)) { outcome in
                        guard let rows = outcome.rows, let next = try? rows.int8(0, 0), next < 50 else { return end.set(outcome) }
                        go(from: next)
                    }
                }
                go(from: 0)
                #expect(try await end.outcome().rows?.int8(0, 0) == 50)
                #expect(peer.losses.isEmpty)
            }
        }
    }

    @Test("without a session, and above what may wait, a call is told at once that it was not sent")
    func unavailable() async throws {
        try await withPostgres { server in
            let narrow = try options(server.address()) {
                $0.pipelineDepth = 1
                $0.mostWaiting = 1
            }
            try await withConnection(narrow) { peer in
                let slow = peer.begin("select pg_sleep(0.2)")
                let waiting = peer.begin("select 1")
                #expect(await peer.call("select 1").unavailability == .crowded)
                #expect(try await waiting.outcome().rows?.count == 1)
                #expect(try await slow.outcome().rows?.count == 1)
                await server.stop()
                try await peer.lost()
                #expect(await peer.call("select 1").unavailability != nil)
                await peer.connection.close()
                #expect(await peer.call("select 1").unavailability == .closed)
            }
        }
    }
}
