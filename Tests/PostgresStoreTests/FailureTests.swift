import Postgres
import PostgresCluster
import Push
import StoreContract
import Testing

@testable import PostgresStore

/// What becomes of everything when a machine dies.
@Suite(.timeLimit(.minutes(2)), .serialized)
struct FailureTests {
    @Test func nothingThatWasAnsweredIsLostWithThePrimary() async throws {
        try await withPostgresPair { pair in
            try await withNodes(over: pair.address) { a, b in
                try await furnish(a.port)
                let device = try await b.connect("phone")
                let tasks = try await a.push((0..<20).map { .message(.device("phone"), text: "\($0)") })

                await pair.primary.crash()
                let answer = await a.accepted(.message(.device("phone"), bizNo: "meanwhile"))
                #expect(!answer.isStored)
                try await pair.standby.promote()

                let last = try await a.pushWhenServed(.message(.device("phone"), text: "last"))
                // What may not have been told is read again: a gap says so.
                try await eventually("the loop is told of a gap") {
                    b.loop.takeEvents().contains { if case .gap = $0 { true } else { false } }
                }
                try await eventuallyServed("everything that was answered is there, in its order") {
                    let page = try await b.port.pending(for: device.device, after: device.settledUpTo, limit: 100)
                    let found = page.rows.map(\.task)
                    return found.filter { tasks.contains($0) } == tasks && found.last == last
                }
            }
        }
    }

    @Test func whichServerItIsAndWhetherCommitsWaitForAStandbyIsTold() async throws {
        try await withPostgresPair { pair in
            try await withNodes(over: pair.address) { a, _ in
                try await eventually("the primary is told") {
                    a.store.node.standing.primary == "127.0.0.1 port \(pair.primary.port)"
                }
                await a.store.node.examineDatabaseNow()
                #expect(a.store.node.standing.hasNoStandby == false)
                let database = try await a.database()
                try await database.run("ALTER SYSTEM SET synchronous_standby_names = ''")
                try await database.run("SELECT pg_reload_conf()")
                try await eventually("that none is waited for") {
                    await a.store.node.examineDatabaseNow()
                    return a.store.node.standing.hasNoStandby == true
                }
                await database.close()
            }
        }
    }

    /// Not that the server does not answer, for which one would look at the wrong machine.
    @Test func aPrimaryThatWaitsForItsStandbyIsToldAsThat() async throws {
        try await withPostgresPair { pair in
            let address = "postgres://postgres@127.0.0.1:\(pair.primary.port)/postgres"
            try await withNodes(over: address) { a, _ in
                try await furnish(a.port)
                pair.standby.pause()
                try await eventually("the cause is told, and what to do") {
                    a.port.health == .unreachable(reason: StoreNode.noStandby, remedy: StoreNode.anyStandby)
                }
                pair.standby.resume()
                try await eventually("it goes on by itself") { await a.accepted(.message(.device("tablet"))).isStored }
            }
        }
    }

    /// Though the node looks for another primary again and again.
    @Test func itIsToldForAsLongAsItIsSo() async throws {
        try await withPostgresPair { pair in
            try await withNodes(over: pair.address) { a, _ in
                try await furnish(a.port)
                await pair.standby.stop()
                let cause = Health.unreachable(reason: StoreNode.noStandby, remedy: StoreNode.anyStandby)
                try await eventually("the cause is told") { a.port.health == cause }
                var others: Set<Health> = []
                for _ in 0..<80 {
                    try await Task.sleep(for: .milliseconds(100))
                    if a.port.health != cause { others.insert(a.port.health) }
                }
                #expect(others.isEmpty)
                try await pair.standby.start()
                try await eventually("it goes on by itself") { await a.accepted(.message(.device("tablet"))).isStored }
            }
        }
    }

    /// The old one is up, answers, takes writes, and can commit none: its standby is the primary now. Nobody fences it.
    @Test func aPrimaryThatWasSupersededHoldsUpNobody() async throws {
        try await withPostgresPair { pair in
            try await withNodes(over: pair.address) { a, _ in
                try await furnish(a.port)
                let task = try await a.push(.message(.device("phone")))
                try await pair.standby.promote()
                try await eventually("a node that found the old one goes on with the new one") {
                    await a.accepted(.message(.device("tablet"))).isStored
                }
                // One that comes now finds the old one first.
                let c = try await TestNode("c", pair.address)
                for node in [a, c] {
                    try await eventuallyServed("it is found") { try await node.port.report(task, to: nil).counts.targeted == 1 }
                }
                c.store.close()
            }
        }
    }

    @Test func theDevicesOfANodeThatDiedAreTakenWhenItsLeaseIsOver() async throws {
        try await withNodes { a, b in
            try await furnish(a.port)
            let first = try await a.connect("phone")
            let seen = try await a.push(.message(.organisation("police")))
            try await a.loop.waitForEntry("the row") { $0.task == seen }
            let row = try #require(a.loop.takeEvents().flatMap(\.rows).first { $0.task == seen })
            a.port.settle([Delivery(device: first.device, position: row.position, settledUpTo: row.position, kind: .delivered)])
            let database = try await a.database()
            try await eventually("how far it is was written") { try await database.cursor(of: first.device) == row.position }
            await database.close()

            a.store.end(leaving: false)
            let taken = try await b.connect("phone")
            #expect(taken.device == first.device)
            #expect(taken.settledUpTo == row.position, "what it had acknowledged is not told again")
            // Nobody waits for it any more either.
            let task = try await b.push(.message(.device("phone")))
            #expect(try await b.port.cancel(task, by: .installation) == .cancelled)
        }
    }

    /// How far a device is is written once a minute, and what it has acknowledged four times a second.
    @Test func whatWasAcknowledgedSinceTheCursorWasWrittenIsNotToldAgain() async throws {
        try await withPostgres { server in
            let address = server.address()
            try await PostgresStore.migrate(PostgresOptions(try PostgresAddress(parsing: address)))
            let a = try await TestNode("a", address) { $0.cursorPause = .seconds(3_600) }
            try await furnish(a.port)
            let first = try await a.connect("phone")
            let tasks = try await a.push([
                .message(.organisation("police")), .message(.user("ann")), .message(.organisation("police")),
            ])
            try await a.loop.waitForEntry("the last row") { $0.task == tasks[2] }
            for row in a.loop.takeEvents().flatMap(\.rows) where tasks[..<2].contains(row.task) {
                a.port.settle([
                    Delivery(device: first.device, position: row.position, settledUpTo: row.position, kind: .delivered)
                ])
            }
            let database = try await a.database()
            try await eventually("they were written") { try await database.receipts() == 2 }
            await database.close()
            a.store.end(leaving: false)

            let b = try await TestNode("b", address)
            let taken = try await b.connect("phone")
            let page = try await b.port.pending(for: taken.device, after: taken.settledUpTo, limit: 100)
            #expect(page.rows.map(\.task) == [tasks[2]])
            for store in [a.store, b.store] { store.close() }
        }
    }

    @Test func whatWasRecalledIsNotAnsweredAsIfItWereNot() async throws {
        try await withPostgres { server in
            try await withNodes(over: server.address()) { a, b in
                try await furnish(a.port)
                let task = try await a.push(.message(.device("phone")))
                // It is waited for until its lease has lapsed.
                b.store.end(leaving: false)
                let cancelling = Task { try await a.port.cancel(task, by: .installation) }
                try await eventually("it is recalled") { try await a.port.report(task, to: nil).status == .cancelled }
                server.pause()
                await #expect(throws: StoreError.unknown) { try await cancelling.value }
                server.resume()
            }
        }
    }

    @Test func whoIsCutOffDeliversNothingAndGoesOnWhereItWas() async throws {
        try await withPostgres { server in
            try await withNodes(over: server.address()) { a, b in
                try await furnish(a.port)
                let device = try await b.connect("phone")
                let term = try #require(b.port.lease.term())

                server.pause()
                try await eventually("both leases lapse") { a.port.lease.term() == nil && b.port.lease.term() == nil }
                server.resume()

                try await eventually("the next term begins") { a.port.lease.term() != nil && (b.port.lease.term() ?? 0) > term }
                try await eventually("the loop is told of a gap of that term") {
                    b.loop.takeEvents().contains { event in
                        if case .gap(_, _, let snapshot) = event { snapshot.term > term } else { false }
                    }
                }
                let task = try await a.pushWhenServed(.message(.device("phone")))
                // The other node follows the log a moment later.
                try await eventuallyServed("it is there") {
                    let page = try await b.port.pending(for: device.device, after: device.settledUpTo, limit: 100)
                    return page.rows.last?.task == task
                }
            }
        }
    }

    @Test func aNodeThatWasTakenForDeadComesAsANewOne() async throws {
        try await withNodes { a, b in
            try await furnish(a.port)
            let first = try await b.connect("phone", as: SessionID(raw: 7))
            let former = await b.store.node.number
            let database = try await b.database()
            // What a process that has its name by now would have done.
            _ = try await database.number(
                "WITH gone AS (UPDATE psp.node SET lease = 0 WHERE node = \(former) RETURNING 1) SELECT count(*) FROM gone")
            try await b.loop.waitForClose(of: SessionID(raw: 7), .takenOver)
            try await eventually("it has another number") { await b.store.node.number > former }
            try await eventually("it serves") { b.port.health == .serving }
            b.port.detach(first.device, session: SessionID(raw: 7), settledUpTo: first.settledUpTo)

            let second = try await b.connect("phone", as: SessionID(raw: 8))
            let task = try await a.push(.message(.device("phone")))
            try await b.loop.waitForEntry("a unicast") { $0.task == task }
            let row = try #require(b.loop.takeEvents().flatMap(\.rows).first { $0.task == task })
            b.port.settle([Delivery(device: second.device, position: row.position, settledUpTo: row.position, kind: .delivered)])
            try await eventually("it is counted") {
                try await a.port.report(task, to: AppKey(unchecked: "app")).counts.delivered == 1
            }
            // One attempt at a time: it stays the one that it is.
            let number = await b.store.node.number
            for _ in 0..<3 { await b.store.node.renewNow() }
            #expect(await b.store.node.number == number)
            #expect(try await database.number("SELECT count(*) FROM psp.node WHERE name = 'b' AND lease > 0") == 1)
            await database.close()
        }
    }
}
