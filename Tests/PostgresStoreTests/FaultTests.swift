import Base
import PostgresCluster
import Push
import StoreContract
import Testing

@testable import PostgresStore

/// What must not be lost where a node has missed something, or may not write any more.
@Suite(.timeLimit(.minutes(2)), .serialized)
struct FaultTests {
    /// A node that seems to have died is back in the moment in which another one takes its devices.
    @Test func whoRenewsItsLeaseInThatMomentIsAskedForItsDevices() async throws {
        try await withNodes { a, b in
            try await furnish(a.port)
            _ = try await a.connect("phone", as: SessionID(raw: 1))
            let database = try await a.database()
            a.store.node.enter { $0.holdsRenewals = true }
            try await database.run("UPDATE psp.node SET lease = 1 WHERE name = 'a'")
            try await database.run("BEGIN; UPDATE psp.node SET lease = psp.wall() + 60000 WHERE name = 'a'")
            let other = try await b.database()
            async let second = b.connect("phone", as: SessionID(raw: 2))
            try await eventually("the claim waits for the renewal") {
                try await other.number("SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'transactionid'") == 1
            }
            try await database.run("COMMIT")
            try await a.loop.waitForClose(of: SessionID(raw: 1), .takenOver)
            a.port.detach(DeviceHandle(ordinal: 1), session: SessionID(raw: 1), settledUpTo: Position(raw: 0))
            a.store.node.enter { $0.holdsRenewals = false }
            _ = try await second
            for connection in [database, other] { await connection.close() }
        }
    }

    @Test func whoWaitsForADeadNodeHasItsDeviceWhenTheLeaseIsOver() async throws {
        try await withNodes { a, b in
            try await furnish(a.port)
            _ = try await a.connect("phone", as: SessionID(raw: 1))
            let database = try await a.database()
            a.store.node.enter { $0.holdsRenewals = true }
            try await database.run("UPDATE psp.node SET lease = psp.wall() + 1500 WHERE name = 'a'")
            let asked = ContinuousClock.now
            _ = try await b.connect("phone", as: SessionID(raw: 2))
            #expect(ContinuousClock.now - asked < .seconds(4), "a whole lease is 5 s")
            a.store.node.enter { $0.holdsRenewals = false }
            await database.close()
        }
    }

    /// As where its transaction waits for a standby in a session that was given up: there may be secrets in it.
    @Test func aPartThatComesAfterItsImportWasAbandonedIsDroppedToo() async throws {
        try await withNodes { a, b in
            try await furnish(a.port)
            let database = try await b.database()
            let id = ImportID.drawn()
            try await database.run(
                "BEGIN; SELECT psp.keep_import_2(node, '\(id.text)', 2, 5, 'text', true) FROM psp.node WHERE name = 'a'")
            a.port.abandon(id)
            try await eventually("it is abandoned, and nobody sees it yet") {
                await a.store.node.lookedFor(id)
            }
            try await database.run("COMMIT")
            try await eventually("it is gone") {
                try await database.number("SELECT (SELECT count(*) FROM psp.import) + (SELECT count(*) FROM psp.import_part)")
                    == 0
            }
            await database.close()
        }
    }

    @Test func anImportWhosePartsAreGoneIsNotGoneOnWith() async throws {
        try await withNodes { a, b in
            try await furnish(a.port)
            let database = try await b.database()
            let keep = "SELECT psp.keep_import_2(node, 'x', %, 5, 'text', % = 2) FROM psp.node WHERE name = 'a'"
            try await database.run(keep.replacing("%", with: "2"))
            try await database.run(keep.replacing("%", with: "6"))
            // It stands still, and is taken for dead.
            a.store.node.enter { $0.holdsRenewals = true }
            try await database.run("UPDATE psp.node SET lease = 1 WHERE name = 'a'")
            try await eventually("its import is gone") { try await database.number("SELECT count(*) FROM psp.import") == 0 }
            await #expect(throws: (any Error).self) { try await database.run(keep.replacing("%", with: "11")) }
            #expect(try await database.number("SELECT count(*) FROM psp.import") == 0)
            a.store.node.enter { $0.holdsRenewals = false }
            await database.close()
        }
    }

    @Test func whoComesWhileTheLogCannotBeReadIsRefusedAndComesAgain() async throws {
        try await withNodes { a, _ in
            try await furnish(a.port)
            let database = try await a.database()
            try await database.run("ALTER FUNCTION psp.tail_2 RENAME TO tail_gone")
            #expect(await a.result(connecting: "phone", as: SessionID(raw: 1)).failure == .unavailable)
            try await database.run("ALTER FUNCTION psp.tail_gone RENAME TO tail_2")
            try await eventually("nobody has it") {
                try await database.number("SELECT count(*) FROM psp.session WHERE node IS NOT NULL") == 0
            }
            _ = try await a.connect("phone", as: SessionID(raw: 2))
            await database.close()
        }
    }

    @Test func aCloseBehindAJumpOfTheLogIsTold() async throws {
        try await withNodes { a, _ in
            try await furnish(a.port)
            let device = try await a.connect("phone", as: SessionID(raw: 1)).device
            let database = try await a.database()
            // In one transaction, as a node that follows another primary may find it.
            try await database.run(
                """
                INSERT INTO psp.log (seq, target, created, kind) SELECT max(seq) + 4294967296, 0, 0, 13 FROM psp.log;
                INSERT INTO psp.log (seq, target, created, kind, app, version, status)
                SELECT (SELECT max(seq) + 1 FROM psp.log), 1::bigint << 56 | \(device.ordinal), 0, 6, s.node, 1, 2
                FROM psp.session s WHERE s.ordinal = \(device.ordinal);
                """)
            try await a.loop.waitForClose(of: SessionID(raw: 1), .requested)
            // Others do not wait for this node in vain.
            let head = try await database.number("SELECT max(seq) FROM psp.log")
            try await eventually("it is told that the loops have applied it") {
                try await database.number("SELECT min(applied) FROM psp.node WHERE lease > 0") >= head
            }
            await database.close()
        }
    }

    @Test func whoHasADeviceIsAskedForItAlsoWhereAnotherOneWaitedBefore() async throws {
        try await withPostgres { server in
            // It is not asked by comparing all connections either, which is done as often.
            try await withNodes(over: server.address(), { $0.cursorPause = .seconds(3_600) }) { a, b in
                try await furnish(a.port)
                let first = try await a.connect("phone", as: SessionID(raw: 1))
                let database = try await a.database()
                // What was told of that was missed, and who waited is no more.
                try await database.run(
                    "UPDATE psp.session SET successor = 99, successor_node = 99 WHERE ordinal = \(first.device.ordinal)")
                async let second = b.connect("phone", as: SessionID(raw: 2))
                try await a.loop.waitForClose(of: SessionID(raw: 1), .takenOver)
                a.port.detach(first.device, session: SessionID(raw: 1), settledUpTo: first.settledUpTo)
                #expect(try await second.device == first.device)
                #expect(try await database.number("SELECT count(*) FROM psp.log WHERE kind = 8 AND version = 99") == 1)
                await database.close()
            }
        }
    }

    @Test func aPushThatWaitedLastsAsLongAsItsCallerSaid() async throws {
        try await withNodes { a, _ in
            try await furnish(a.port)
            let database = try await a.database()
            try await database.takeLane()
            let came = try await database.number("SELECT psp.wall()")
            async let task = a.push(.message(.device("phone"), expires: came + 60_000))
            try await eventually("it has waited") { try await database.number("SELECT psp.wall()") > came + 1_500 }
            try await database.run("COMMIT")
            _ = try await task
            let stored = "SELECT expires - (SELECT shift FROM psp.clock) FROM psp.log WHERE kind = 0 ORDER BY seq DESC LIMIT 1"
            #expect(try await database.number(stored) == came + 60_000)
            await database.close()
        }
    }

    @Test func whoGoesBackToOneBackupTwiceRepeatsNeitherIDsNorVersions() async throws {
        try await withNodes { a, _ in
            try await furnish(a.port)
            let database = try await a.database()
            let before = try await database.number("SELECT max(seq) FROM psp.log")
            var found: [(head: Int64, version: Int64)] = []
            for _ in 0..<2 {
                try await database.run(
                    "BEGIN; SET LOCAL search_path = psp; UPDATE clock SET timeline = 0; SELECT follow_timeline(wall())")
                let head = try await database.number("SELECT max(seq) FROM psp.log")
                let version = try await database.number("SELECT value FROM psp.meta WHERE key = 'configuration_version'")
                found.append((head, version))
                try await database.run("ROLLBACK")
                let second = try await database.number("SELECT psp.wall() / 1000")
                try await eventually("some time passes") { try await database.number("SELECT psp.wall() / 1000") > second }
            }
            #expect(found.allSatisfy { $0.head >= before + 1 << 32 })
            #expect(found[0].head != found[1].head)
            #expect(found[0].version < found[1].version)
            await database.close()
        }
    }

    /// Whatever has made it so: it would get no message for it alone, and not come back by itself.
    @Test func aConnectionThatTheDatabaseGivesToNobodyIsEnded() async throws {
        try await withNodes { a, _ in
            try await furnish(a.port)
            let first = try await a.connect("phone", as: SessionID(raw: 1))
            let database = try await a.database()
            try await database.run("UPDATE psp.session SET node = NULL, session = NULL WHERE ordinal = \(first.device.ordinal)")
            try await a.loop.waitForClose(of: SessionID(raw: 1), .takenOver)
            await database.close()
        }
    }

    @Test func whoHasNoLeaseNeitherCountsNorHasDevices() async throws {
        try await withNodes { a, _ in
            try await furnish(a.port)
            let database = try await a.database()
            await #expect(throws: (any Error).self) {
                try await database.run("SELECT * FROM psp.settle_1(0, ARRAY[1], ARRAY[0], ARRAY[0], ARRAY[''::bytea], false)")
            }
            #expect(try await database.number("SELECT count(*) FROM psp.receipt") == 0)
            await #expect(throws: (any Error).self) {
                try await database.run(
                    """
                    SELECT * FROM psp.claim_2(psp.wall() + (SELECT shift FROM psp.clock), 0,
                      ARRAY(SELECT ordinal FROM psp.session ORDER BY ordinal LIMIT 1), ARRAY[1], ARRAY[0], NULL)
                    """)
            }
            #expect(try await database.number("SELECT count(*) FROM psp.session WHERE node = 0") == 0)
            await database.close()
        }
    }

    @Test func cursorsAreWrittenWhileAcknowledgementsCome() async throws {
        try await withNodes { a, _ in
            try await furnish(a.port)
            let phone = try await a.connect("phone").device
            let tablet = try await a.connect("tablet").device
            let task = try await a.push(.message(.organisation("police")))
            try await a.loop.waitForEntry("the row") { $0.task == task }
            let row = try #require(a.loop.takeEvents().flatMap(\.rows).first { $0.task == task })
            let database = try await a.database()
            // Of the log no more: each has the node ask for its position, and the next comes meanwhile.
            let stream = Task {
                while !Task.isCancelled {
                    a.port.settle([
                        Delivery(device: tablet, position: Position(raw: 1), settledUpTo: row.position, kind: .delivered)
                    ])
                    _ = try? await database.cursor(of: tablet)
                }
            }
            a.port.settle([Delivery(device: phone, position: row.position, settledUpTo: row.position, kind: .delivered)])
            try await eventually("how far it is was written") { try await database.cursor(of: phone) == row.position }
            stream.cancel()
            await stream.value
            await database.close()
        }
    }
}

extension StoreNode {
    /// Whether the parts of an abandoned import were looked for, and are to be looked for again.
    fileprivate func lookedFor(_ id: ImportID) -> Bool { (abandonedImports[id] ?? nil) != nil }
}
