import PostgresCluster
import Push
import StoreContract
import Testing

@testable import PostgresStore

/// Two nodes over one database: a device has one connection, on the node that it came to last.
@Suite(.timeLimit(.minutes(2)), .serialized)
struct SessionsBetweenNodesTests {
    @Test func aDeviceThatComesToAnotherNodeTakesItsConnectionOver() async throws {
        try await withNodes { a, b in
            try await furnish(a.port)
            let first = try await a.connect("phone", as: SessionID(raw: 1))
            async let second = b.connect("phone", as: SessionID(raw: 2))
            try await a.loop.waitForClose(of: SessionID(raw: 1), .takenOver)
            a.port.detach(first.device, session: SessionID(raw: 1), settledUpTo: Position(raw: first.feedFrom.raw))
            let taken = try await second
            #expect(taken.device == first.device)
            #expect(taken.settledUpTo == first.feedFrom, "how far it was at the first node")
        }
    }

    @Test func theLastOfThreeThatWantADeviceHasIt() async throws {
        try await withNodes { a, b in
            try await furnish(a.port)
            let first = try await a.connect("phone", as: SessionID(raw: 1))
            async let second = b.result(connecting: "phone", as: SessionID(raw: 2))
            try await a.loop.waitForClose(of: SessionID(raw: 1), .takenOver)
            async let third = b.result(connecting: "phone", as: SessionID(raw: 3))
            #expect(await second.failure == .takenOver)
            a.port.detach(first.device, session: SessionID(raw: 1), settledUpTo: first.settledUpTo)
            #expect(try await third.get().device == first.device)
        }
    }

    @Test func aDeviceThatCallsTwiceAtOnceHasOneConnection() async throws {
        try await withNodes { a, _ in
            try await furnish(a.port)
            // All of them wait for the same answer of the database.
            let results = await withTaskGroup(of: Result<Attached, AttachError>.self) { group in
                for number in 1...5 {
                    group.addTask { await a.result(connecting: "phone", as: SessionID(raw: UInt64(number))) }
                }
                // The one that has it settles when another one wants it.
                group.addTask {
                    while true {
                        for entry in a.loop.takeEntries() {
                            guard case .close(let device, let session, _) = entry else { continue }
                            a.port.detach(device, session: session, settledUpTo: .start)
                        }
                        if Task.isCancelled { return .failure(.takenOver) }
                        await Task.yield()
                    }
                }
                var results: [Result<Attached, AttachError>] = []
                while results.count < 5, let result = await group.next() { results.append(result) }
                group.cancelAll()
                return results
            }
            #expect(results.allSatisfy { $0.failure == nil || $0.failure == .takenOver })
            #expect(results.contains { $0.failure == nil })
        }
    }

    /// The row says so only when the server has waited for the other's writing.
    @Test func aClaimDoesNotOverwriteTheOneThatWasWrittenWhileItWaited() async throws {
        try await withPostgres { server in
            try await withNodes(over: server.address()) { a, b in
                try await furnish(a.port)
                let database = try await a.database()
                let handle = try await a.connect("phone", as: SessionID(raw: 1))
                a.port.detach(handle.device, session: SessionID(raw: 1), settledUpTo: handle.settledUpTo)
                try await eventually("nobody has it") {
                    try await database.number("SELECT count(*) FROM psp.session WHERE node IS NOT NULL") == 0
                }
                let other = try await b.database()
                try await other.run(
                    """
                    BEGIN;
                    UPDATE psp.session SET session = 77, node = (SELECT max(node) FROM psp.node WHERE name = 'b')
                    WHERE ordinal = \(handle.device.ordinal)
                    """)
                async let second = a.connect("phone", as: SessionID(raw: 2))
                try await eventually("the claim waits") {
                    try await database.number("SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'transactionid'") == 1
                }
                try await other.run("COMMIT")
                _ = try await second
                let asked = try await database.number("SELECT count(*) FROM psp.log WHERE kind = 6 AND version = 77")
                #expect(asked == 1, "the connection that had the device by then is asked to give way")
                await other.close()
                await database.close()
            }
        }
    }

    /// The next one asks for the device before the one that waited for it knows that it has it.
    @Test func whoIsGivenADeviceAndAskedForItAtOnceGivesItAway() async throws {
        try await withPostgres { server in
            try await withNodes(over: server.address(), { $0.cursorPause = .seconds(3_600) }) { a, b in
                try await furnish(a.port)
                let ordinal = try await a.connect("phone", as: SessionID(raw: 1)).device.ordinal
                async let second = b.connect("phone", as: SessionID(raw: 2))
                try await a.loop.waitForClose(of: SessionID(raw: 1), .takenOver)
                let database = try await a.database()
                // As a hand-over and the claim of a third one write it, in one reading of the log.
                try await database.run(
                    """
                    BEGIN;
                    SELECT pg_advisory_xact_lock(1886613553, 0);
                    INSERT INTO psp.log (seq, target, created, kind, app, version, status)
                    SELECT (SELECT max(seq) FROM psp.log) + k.n, 1::bigint << 56 | s.ordinal, psp.wall(), k.kind,
                      s.successor_node, 2, 0
                    FROM psp.session s, (VALUES (1, 7), (2, 6)) AS k(n, kind) WHERE s.ordinal = \(ordinal);
                    UPDATE psp.session SET node = successor_node, session = 2, successor = 99, successor_node = 99
                    WHERE ordinal = \(ordinal);
                    COMMIT
                    """)
                #expect(try await second.device.ordinal == ordinal)
                try await b.loop.waitForClose(of: SessionID(raw: 2), .takenOver)
                let kept = "SELECT count(*) FROM psp.session WHERE session = 2 AND successor = 99 AND ordinal = \(ordinal)"
                #expect(
                    try await database.number(kept) == 1, "it has the device until it has settled, and who waits is not forgotten"
                )
                await database.close()
            }
        }
    }
}
