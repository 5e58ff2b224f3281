import Base
import Postgres
import PostgresCluster
import Push
import StoreContract
import Testing

@testable import PostgresStore

/// What a device has acknowledged, where the connection that it was told to was not ended in order: it is not told again.
@Suite(.timeLimit(.minutes(2)))
struct DoubtTests {
    @Test func aConnectionThatReadsNothingLeavesTheDoubtToTheNext() async throws {
        try await withPostgres { server in
            try await withNodes(over: server.address(), { $0.cursorPause = .seconds(3_600) }) { a, b in
                try await furnish(a.port)
                let tasks = try await a.endUnawares(of: "phone", as: SessionID(raw: 1), seenBy: b)

                let second = try await b.connect("phone", as: SessionID(raw: 2))
                b.port.detach(second.device, session: SessionID(raw: 2), settledUpTo: second.settledUpTo)
                let third = try await b.connect("phone", as: SessionID(raw: 3))
                let page = try await b.port.pending(for: third.device, after: third.settledUpTo, limit: 20)
                #expect(page.rows.map(\.task) == [tasks[0]])
            }
        }
    }

    @Test func aConfigurationThatWasAcknowledgedIsNotToldAgainUnlessItWasJoinedAgainMeanwhile() async throws {
        try await withPostgres { server in
            try await withNodes(over: server.address(), { $0.cursorPause = .seconds(3_600) }) { a, b in
                try await furnish(a.port)
                try await a.port.makeOrg("traffic")
                let targets: [PushRequest.Target] = [.device("phone"), .user("ann"), .organisation("police")]
                let tasks = try await a.push(targets.enumerated().map { .configuration($1, tag: "t\($0)") })
                let first = try await a.connect("phone", as: SessionID(raw: 1))
                let rows = try await a.port.pending(for: first.device, after: first.settledUpTo, limit: 20).rows
                #expect(rows.map(\.task) == tasks)
                a.port.settle(
                    rows.map {
                        Delivery(device: first.device, position: $0.position, settledUpTo: first.settledUpTo, kind: .delivered)
                    })
                try await eventually("they are written") { try await b.port.report(tasks[2], to: nil).counts.delivered == 1 }
                a.store.end(leaving: false)

                let second = try await b.connect("phone", as: SessionID(raw: 2))
                let page = try await b.port.pending(for: second.device, after: second.settledUpTo, limit: 20)
                #expect(page.rows.isEmpty)
                // What it was set to by where it is now, it is not by where it was before.
                try await b.port.move("phone", to: "traffic")
                try await b.port.move("phone", to: "police")
                try await eventually("it has joined") {
                    try await b.port.pending(for: second.device, after: second.settledUpTo, limit: 20).rows.map(\.task) == [
                        tasks[2]
                    ]
                }
            }
        }
    }

    /// Nobody could renew a lease meanwhile, so all look as if they had died.
    @Test func afterTheDatabaseWasAwayWhoHasADeviceIsAskedForItFirst() async throws {
        try await withPostgres { server in
            try await withNodes(over: server.address(), { $0.cursorPause = .seconds(3_600) }) { a, b in
                try await furnish(a.port)
                let first = try await a.connect("phone", as: SessionID(raw: 1))
                let task = try await a.push(.message(.organisation("police")))
                try await a.loop.waitForEntry("the row") { $0.task == task }
                let row = try #require(a.loop.takeEvents().flatMap(\.rows).first { $0.task == task })
                let database = try await a.database()
                server.pause()
                // It comes back later than the other one.
                a.store.node.enter { $0.holdsRenewals = true }
                try await eventually("the leases lapse") { a.port.lease.left == 0 && b.port.lease.left == 0 }
                a.port.settle([
                    Delivery(device: first.device, position: row.position, settledUpTo: row.position, kind: .delivered)
                ])
                // The database counts longer than nodes do.
                let lapsed = BootClock.microseconds + 2_500_000
                try await eventually("they have lapsed for the database, too") { BootClock.microseconds > lapsed }
                server.resume()
                try await eventually("the other one is back") { b.port.lease.term() != nil && b.port.health == .serving }
                async let second = b.connect("phone", as: SessionID(raw: 2))
                try await a.loop.waitForClose(of: SessionID(raw: 1), .takenOver)
                a.port.detach(first.device, session: SessionID(raw: 1), settledUpTo: row.position)
                let settledUpTo = try await second.settledUpTo
                #expect(settledUpTo == row.position)
                a.store.node.enter { $0.holdsRenewals = false }
                await database.close()
            }
        }
    }

    /// The device may come before the first renewal after that.
    @Test func whoHasNotRenewedItsOwnLeaseYetTakesNoDevice() async throws {
        try await withPostgres { server in
            try await withNodes(over: server.address(), { $0.cursorPause = .seconds(3_600) }) { a, b in
                try await furnish(a.port)
                let first = try await a.connect("phone", as: SessionID(raw: 1))
                for node in [a, b] { node.store.node.enter { $0.holdsRenewals = true } }
                try await eventually("the leases lapse") { a.port.lease.left == 0 && b.port.lease.left == 0 }
                let lapsed = BootClock.microseconds + 2_500_000
                try await eventually("they have lapsed for the database, too") { BootClock.microseconds > lapsed }
                #expect(await b.result(connecting: "phone", as: SessionID(raw: 2)).failure == .unavailable)
                b.store.node.enter { $0.holdsRenewals = false }
                try await eventually("the other one is back") { b.port.lease.term() != nil && b.port.health == .serving }
                async let second = b.connect("phone", as: SessionID(raw: 3))
                try await a.loop.waitForClose(of: SessionID(raw: 1), .takenOver)
                a.port.detach(first.device, session: SessionID(raw: 1), settledUpTo: first.settledUpTo)
                #expect(try await second.device == first.device)
                a.store.node.enter { $0.holdsRenewals = false }
            }
        }
    }

    @Test func anEndThatIsNotWrittenYetIsNotOverwrittenByWhatTheLogSaysOfIt() async throws {
        try await withPostgres { server in
            try await withNodes(over: server.address()) { a, _ in
                try await furnish(a.port)
                let first = try await a.connect("phone", as: SessionID(raw: 1))
                let task = try await a.push(.message(.device("phone")))
                try await a.loop.waitForEntry("the row") { $0.task == task }
                let row = try #require(a.loop.takeEvents().flatMap(\.rows).first { $0.task == task })
                let database = try await a.database()
                server.pause()
                a.port.detach(first.device, session: SessionID(raw: 1), settledUpTo: row.position)
                // Another node has asked for the device meanwhile.
                a.store.node.enter { $0.close(first.device.ordinal, SessionID(raw: 1), .takenOver) }
                try await eventually("it could not be written") { a.store.node.standing.unknownCalls > 0 }
                server.resume()
                try await eventually("the end is written") {
                    try await database.number("SELECT count(*) FROM psp.session WHERE node IS NOT NULL") == 0
                }
                #expect(try await database.cursor(of: first.device) == row.position)
                await database.close()
            }
        }
    }
}
