import Base
import Postgres
import PostgresCluster
import Push
import StoreContract
import Testing

@testable import PostgresStore

/// What nodes tell of each other, and who may join.
@Suite(.timeLimit(.minutes(2)))
struct NodesTests {
    @Test func eachNodeTellsWhoLives() async throws {
        try await withNodes { a, b in
            try await furnish(a.port)
            _ = try await b.connect("phone")
            // A renewal tells how many there are.
            try await eventually("the other node's session is told") {
                try await a.store.nodes()?.first { $0.name == "b" }?.sessions == 1
            }
            let nodes = try #require(try await a.store.nodes())
            #expect(nodes.map(\.name) == ["a", "b"] && nodes.map(\.isOwn) == [true, false])
            #expect(nodes.allSatisfy { $0.isLiving && $0.version == "test" && (1...5_000).contains($0.lease ?? 0) })
            #expect(nodes.allSatisfy { abs($0.startedAt - WallClock.milliseconds) < 60_000 })

            #expect(nodes.map(\.isDraining) == [false, false])
            b.store.announceEnd()
            try await eventually("that it is about to end is told") {
                try await a.store.nodes()?.map(\.isDraining) == [false, true]
            }

            b.store.end(leaving: false)
            try await eventually("its lease lapses") { try await a.store.nodes()?.first { $0.name == "b" }?.isLiving == false }
            let again = try await TestNode("b", "\(b.options.database.address)")
            #expect(try await a.store.nodes()?.map(\.isLiving) == [true, true], "the former process is not told any more")
            again.store.close()
            #expect(try await a.store.nodes()?.map(\.name) == ["a"], "who leaves is gone at once")
        }
    }

    /// It knows no organisation, so what it would refuse is not for it to decide.
    @Test func whoHasNotJoinedYetDecidesNothing() async throws {
        try await withNodes { a, b in
            try await furnish(a.port)
            // Another process has its name.
            let lines = Locked<[String]>([])
            var options = b.options
            options.log = { line in lines.withLock { $0.append(line) } }
            let second = try PostgresStore(options)
            let port = second.port(for: TestLoop())
            try await eventually("it waits for the first") {
                lines.withLock { $0.contains { $0.contains("another node of the name") } }
            }
            await #expect(throws: StoreError.unavailable(retryAfter: .seconds(1))) {
                try await port.putDevice("watch", in: "police")
            }
            // Nor does it say that the database's clock was set, because it knows no time.
            let database = try await a.database()
            try await database.run(
                "DO $$ BEGIN IF (SELECT steps <> 0 FROM psp.clock) THEN RAISE EXCEPTION 'it was set'; END IF; END $$"
            )
            await database.close()
            second.close()
        }
    }

    /// What stands in a directory that others have changed meanwhile is nobody's answer.
    @Test func whoHasNoLeaseRefusesNothing() async throws {
        try await withNodes { a, b in
            try await furnish(a.port)
            a.store.node.enter { $0.holdsRenewals = true }
            try await eventually("the lease lapses") { a.port.lease.term() == nil }
            // Others may have made them meanwhile, and anybody whom this node still lets in may have been shut out.
            #expect(a.port.health.name == "unreachable" && a.store.status.health.name == "unreachable")
            let refused = StoreError.unavailable(retryAfter: .seconds(1))
            for id in ["nowhere", "police"] {
                await #expect(throws: refused) { _ = try await a.port.apply(.removeOrganisation(OrgID(unchecked: id))) }
            }
            await #expect(throws: refused) {
                try await a.port.apply(.remove(OperatorName(unchecked: "nobody")), by: .installation)
            }
            await #expect(throws: refused) { try await a.port.disconnect(DeviceToken(unchecked: "nowhere")) }
            let request = PushRequest.message(.organisation("police"), from: "nowhere")
            #expect(await a.port.append(request, by: .installation) == .unavailable(retryAfter: .seconds(1)))
            await #expect(throws: refused) { try await a.port.preview(request, by: .installation) }
            #expect(await a.accepted(.message(.organisation("police"))) == .unavailable(retryAfter: .seconds(1)))
            #expect(await a.result(connecting: "phone", as: SessionID(raw: 1)).failure == .unavailable)
            a.store.node.enter { $0.holdsRenewals = false }
            try await eventually("it is renewed") { a.port.health == .serving }
            #expect(await a.port.append(request, by: .installation).refusal?.code == .noSuchApp)
        }
    }

    @Test func figuresTellWhatANodeHasMet() async throws {
        try await withPostgres { server in
            try await withNodes(over: server.address()) { a, _ in
                #expect((1...5_000).contains(a.store.node.standing.lease))
                #expect(a.store.node.standing.lapses == 0 && a.store.node.standing.losses == 0)
                server.pause()
                let answer = await a.accepted(.message(.organisation("nobody")))
                #expect(!answer.isStored)
                try await eventually("the lease lapses") { a.store.node.standing.lease == 0 }
                #expect(a.store.node.standing.lapses == 1, "it counts at once: nobody knows when it is renewed")
                server.resume()
                try await eventually("it is renewed") { a.store.node.standing.lease > 0 }
                let standing = a.store.node.standing
                #expect(standing.lapses == 1 && standing.unknownCalls > 0 && standing.losses > 0 && standing.switches == 0)
            }
        }
    }

    /// A node that is ready takes pushes: its lease is renewed over another connection than they go.
    @Test func whoseChangesHaveNoSessionIsNotReady() async throws {
        try await withNodes { a, b in
            try await furnish(a.port)
            await a.store.node.lane.close()
            await a.store.node.renewNow()
            #expect(a.store.node.standing.lease > 0 && a.port.health.name == "unreachable")
            #expect(await a.accepted(.message(.organisation("police"))) == .unavailable(retryAfter: .seconds(1)))

            // Where it was lost and has come again, the node is ready again by itself.
            let database = try await b.database()
            try await database.run("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'psp b lane'")
            try await eventually("it was lost") { b.store.node.lane.counts.losses > 0 }
            // In the loop's next turn at the earliest.
            await b.store.node.renewNow()
            try await eventually("it is there again") { b.port.health == .serving }
            #expect(await b.accepted(.message(.organisation("police"))).isStored)
            await database.close()
        }
    }

    @Test func whoFindsNoSchemaWaitsForIt() async throws {
        try await withPostgres { server in
            try await expect("the database has no schema: pspctl store migrate", over: server, remedy: "请执行 pspctl store migrate")
            {
                try await PostgresStore.migrate(PostgresOptions(try PostgresAddress(parsing: server.address())))
            }
        }
    }

    /// As after one that was broken off while the server still makes its tables.
    @Test func whoMigratesWhileAnotherDoesComesAfterIt() async throws {
        try await withPostgres { server in
            let options = PostgresOptions(try PostgresAddress(parsing: server.address()))
            let holder = try await PostgresClient(options)
            try await holder.run("SELECT pg_advisory_lock(1886613553, 2)")
            async let one = PostgresStore.migrate(options)
            async let other = PostgresStore.migrate(options)
            try await eventually("both wait") {
                try await holder.number("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted") == 2
            }
            try await holder.run("SELECT pg_advisory_unlock(1886613553, 2)")
            #expect(try await [one, other].sorted() == [0, PostgresStore.schemaVersion])
            await holder.close()
        }
    }

    @Test func anOlderSchemaIsWaitedForAndAMuchNewerOneToo() async throws {
        let version = PostgresStore.schemaVersion
        for (found, line, remedy) in [
            (
                version - 1,
                "the database's schema has version \(version - 1), and this program needs \(version): pspctl store migrate",
                "请执行 pspctl store migrate"
            ),
            (
                version + 2,
                "the database's schema has version \(version + 2), and this program knows \(version): use the newer program",
                "请换用较新的 pspd"
            ),
        ] {
            try await withPostgres { server in
                let options = PostgresOptions(try PostgresAddress(parsing: server.address()))
                try await PostgresStore.migrate(options)
                let database = try await PostgresClient(options)
                try await database.run("UPDATE psp.meta SET value = \(found) WHERE key = 'schema_version'")
                try await expect(line, over: server, remedy: remedy) {
                    // The next one is served already: it was brought there before the first node is upgraded.
                    try await database.run("UPDATE psp.meta SET value = \(version + 1) WHERE key = 'schema_version'")
                }
                await database.close()
            }
        }
    }

    /// Two builds of one version: what is called may do something else than this program thinks.
    @Test func functionsOfAnotherBuildAreTold() async throws {
        try await withPostgres { server in
            // Each node tells it, so that only one's lines are looked at.
            let lines = Locked<[String]>([])
            let log: @Sendable (inout PostgresStore.Options) -> Void = { options in
                if options.node == NodeName(host: "a") { options.log = { line in lines.withLock { $0.append(line) } } }
            }
            try await withNodes(over: server.address(), log) { a, b in
                #expect(!a.store.node.standing.hasForeignFunctions)
                let database = try await a.database()
                try await database.run("UPDATE psp.meta SET value = value + 1 WHERE key = 'functions'")
                await a.store.node.examineDatabaseNow()
                #expect(a.store.node.standing.hasForeignFunctions && a.store.status.health == .serving)
                await a.store.node.examineDatabaseNow()
                let told = lines.withLock { $0.filter { $0.contains("another build") } }
                #expect(told.count == 1, "told once")
                // Those of the next version are made for this one, too.
                let next = PostgresStore.schemaVersion + 1
                try await database.run("UPDATE psp.meta SET value = \(next) WHERE key = 'schema_version'")
                await a.store.node.examineDatabaseNow()
                #expect(!a.store.node.standing.hasForeignFunctions)
                try await database.run("UPDATE psp.meta SET value = \(next - 1) WHERE key = 'schema_version'")
                // Who comes finds out at once, and a migration by its build makes it right.
                let c = try await TestNode("c", server.address())
                #expect(c.store.node.standing.hasForeignFunctions)
                try await PostgresStore.migrate(a.options.database)
                await c.store.node.examineDatabaseNow()
                #expect(!c.store.node.standing.hasForeignFunctions)
                c.store.close()
                await database.close()
            }
        }
    }

    @Test(
        "why there is no session is told in either language, and English words of others as theirs",
        arguments: [
            (
                PostgresLoss.refused(host: "db1 port 5432", "Connection refused"), "db1 port 5432：libpq 报告“Connection refused”",
                "db1 port 5432: Connection refused"
            ),
            (
                .everyHost([.refused(host: "db1", "password"), .refused(host: "db2", "failed: session is read-only")]),
                "db1：libpq 报告“password”；db2：只能读取，是备库（或设了 default_transaction_read_only）",
                "db1: password; db2: only reads, as a standby does (or default_transaction_read_only is on)"
            ),
            (.silent(host: "db1"), "db1：没有应答", "db1: no answer"), (.readOnly, "服务器只能读取", "the server only reads"),
            (
                .unresolved("db1: Name or service not known"), "找不到主机：“db1: Name or service not known”",
                "db1: Name or service not known"
            ),
        ])
    func losses(loss: PostgresLoss, chinese: String, english: String) {
        #expect(loss.words == BilingualText(chinese, english))
        let outcome = PostgresOutcome.unavailable(.notReady(loss))
        #expect(outcome.words == BilingualText("没有连接：\(chinese)", "no session: \(english)"))
    }

    @Test(
        "what is to be done goes by the server's code, and a standby is promoted where nothing else is known",
        arguments: [
            (PostgresLoss.refused(host: "a", "密码认证失败", "28P01"), "password file"),
            (.refused(host: "a", "没有这个库", "3D000"), "address"),
            (.refused(host: "a", "no pg_hba.conf entry", "28000"), "pg_hba.conf"),
            (.refused(host: "a", "太多了", "53300"), "max_connections"),
            (.refused(host: "a", "fe_sendauth: no password supplied"), "password file"), (.yielded, "max_connections"),
            (.everyHost([.refused(host: "a", "session is read-only"), .refused(host: "b", "x", "53300")]), "max_connections"),
            (.everyHost([.refused(host: "a", "session is read-only"), .silent(host: "b")]), "promote"),
            (.refused(host: "a", "the password of the day", "57P03"), nil),
        ] as [(PostgresLoss, String?)])
    func remedies(loss: PostgresLoss, part: String?) {
        guard let part else {
            #expect(loss.remedy == nil)
            return
        }
        #expect(loss.remedy?.english.contains(part) == true)
    }

    /// A node does not join, says why and what to do, and joins when that has passed.
    private func expect(
        _ line: String, over server: PostgresServer, remedy: String, passes: @Sendable () async throws -> Void
    ) async throws {
        let lines = Locked<[String]>([])
        var options = PostgresStore.Options(
            PostgresOptions(try PostgresAddress(parsing: server.address())), node: NodeName(host: "a"), version: "test")
        options.log = { line in lines.withLock { $0.append(line) } }
        let store = try PostgresStore(options)
        try await eventually("the line") { lines.withLock { $0.contains { $0.hasPrefix(line) } } }
        #expect(store.status.health.remedy?.chinese.hasPrefix(remedy) == true)
        #expect(line.hasPrefix("\(store.status.health.detail?.english ?? "?"): "))
        #expect(store.node.standing.lease == 0)
        try await passes()
        await store.whenReady()
        #expect(store.node.standing.lease > 0)
        #expect(lines.withLock { $0.filter { $0.hasPrefix(line) }.count } == 1, "told once")
        store.close()
    }
}

extension StoreNode {
    func examineDatabaseNow() async {
        nextExamination = 0
        await examineDatabase()
    }
}
