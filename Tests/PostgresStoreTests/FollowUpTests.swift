import Base
import PostgresCluster
import Push
import StoreContract
import Testing

@testable import PostgresStore

/// What follows from changes of the directory, and what becomes of acknowledgements, where several nodes matter.
@Suite(.timeLimit(.minutes(2)), .serialized)
struct FollowUpTests {
    @Test func whatANodeHadBegunAnotherOneEnds() async throws {
        try await withPostgres { server in
            let gate = Locked(true)
            try await withNodes(over: server.address(), { $0.mayFollowUp = { gate.withLock { $0 } } }) { a, b in
                try await furnish(a.port)
                try await a.port.makeOrg("traffic")
                for number in 0..<4 { try await a.port.putDevice("car\(number)", in: "traffic") }
                let task = try await a.push(.configuration(.organisation("police")))
                gate.withLock { $0 = false }
                let moved = Task { try await a.port.moveOrg("traffic", under: "police") }
                let database = try await a.database()
                try await eventually("there is something left to do") {
                    try await database.number("SELECT count(*) FROM psp.job") > 0
                }
                // It dies in the midst of it; meanwhile nobody changes the directory.
                a.store.end(leaving: false)
                let change = Task { try await b.port.putDevice("late", in: "police") }
                await #expect(throws: StoreError.self) { try await moved.value }
                #expect(try await database.number("SELECT count(*) FROM psp.job") > 0)
                gate.withLock { $0 = true }
                try await change.value
                #expect(try await database.number("SELECT count(*) FROM psp.job") == 0)
                await database.close()
                let counts = try await b.port.report(task, to: nil).counts
                #expect(counts.targeted == 8 && counts.pending == 8)
                let car = try await b.connect("car1")
                let page = try await b.port.pending(for: car.device, after: car.settledUpTo, limit: 20)
                #expect(page.rows.map(\.task) == [task])
            }
        }
    }

    @Test func aDeviceOfANodeThatDiedIsNotToldAgainWhatItAcknowledged() async throws {
        try await withPostgres { server in
            try await withNodes(over: server.address(), { $0.cursorPause = .seconds(3_600) }) { a, b in
                try await furnish(a.port)
                let tasks = try await a.endUnawares(of: "phone", as: DeviceSession.newID(), seenBy: b)
                let again = try await b.connect("phone")
                let page = try await b.port.pending(for: again.device, after: again.settledUpTo, limit: 20)
                #expect(page.rows.map(\.task) == [tasks[0]])
            }
        }
    }

    @Test func whatWasWithdrawnStaysSoWhateverIsAcknowledgedLaterAndWherever() async throws {
        try await withNodes { a, b in
            try await furnish(a.port)
            let phone = try await a.connect("phone")
            let task = try await a.push(.message(.organisation("police")))
            try await a.loop.waitForEntry("the row") { $0.task == task }
            let row = try #require(a.loop.takeEvents().flatMap(\.rows).first { $0.task == task })
            try await b.port.putDevice("phone", in: "police", of: "carl")
            for node in [a, b] {
                node.port.settle([
                    Delivery(device: phone.device, position: row.position, settledUpTo: row.position, kind: .delivered)
                ])
            }
            for node in [a, b] {
                let counts = try await node.port.report(task, to: nil).counts
                #expect(counts.withdrawn == 1 && counts.delivered == 0 && counts.pending == 2)
            }
        }
    }

    @Test func whatIsMuchIsDoneInSlices() async throws {
        try await withNodes { a, b in
            try await furnish(a.port)
            try await a.port.makeOrg("traffic")
            let database = try await a.database()
            // As an import would have made them.
            try await database.run(
                """
                INSERT INTO psp.device SELECT 1000 + n, convert_to('car' || n, 'UTF8'), n, 0, o.org, 1, NULL, 1, false, 1, 1,
                  9223372036854775807, '', '', NULL FROM generate_series(1, 3000) n, psp.org o WHERE o.org_id = 'traffic';
                INSERT INTO psp.session (ordinal, cursor) SELECT 1000 + n, 1 FROM generate_series(1, 3000) n;
                """)
            let task = try await a.push(.configuration(.organisation("police")))
            for _ in 0..<600 { _ = await a.accepted(.message(.device("phone"))) }
            try await a.port.moveOrg("traffic", under: "police")
            #expect(try await b.port.report(task, to: nil).counts.targeted == 3_003)
            try await b.port.putDevice("phone", in: "police", of: "carl")
            let slices = [a, b].map { $0.store.holdTimes[.slice] }
            #expect(slices[0].counts.reduce(0, +) >= 6)
            #expect(slices[1].counts.reduce(0, +) >= 4)
            await database.close()
        }
    }

    @Test func whatTheDatabaseRefusesHoldsUpNobodyForEver() async throws {
        try await withNodes { a, b in
            try await furnish(a.port)
            try await a.port.makeOrg("traffic")
            try await a.port.putDevice("car", in: "traffic")
            _ = try await a.push(.configuration(.organisation("police")))
            let database = try await a.database()
            try await database.run("ALTER TABLE psp.mark ADD CONSTRAINT never CHECK (seq < 0) NOT VALID")
            await #expect(throws: StoreError.self) { try await a.port.moveOrg("traffic", under: "police") }
            #expect(try await database.number("SELECT count(*) FROM psp.job") > 0)
            for _ in 0..<5 { _ = try? await a.store.node.followUp() }
            #expect(try await database.number("SELECT count(*) FROM psp.job") == 0)
            try await database.run("ALTER TABLE psp.mark DROP CONSTRAINT never")
            await database.close()
            try await b.port.putDevice("van", in: "police")
        }
    }

    @Test func whatALaterVersionHasLeftIsNotWaitedForWithoutAPause() async throws {
        try await withNodes { a, _ in
            try await furnish(a.port)
            let database = try await a.database()
            try await database.run("INSERT INTO psp.job (position, kind, subject, object, place) VALUES (1, 99, 1, 1, 0)")
            await #expect(throws: StoreError.self) { try await a.port.putDevice("van", in: "police") }
            #expect(try await database.number("SELECT count(*) FROM psp.job") == 1)
            try await database.run("DELETE FROM psp.job")
            try await a.port.putDevice("van", in: "police")
            await database.close()
        }
    }
}
