import PostgresCluster
import Push
import StoreContract
import Testing

@testable import PostgresStore

/// How the log is kept short.
@Suite(.timeLimit(.minutes(2)), .serialized)
struct RetentionTests {
    @Test func anOldPartitionIsDroppedAndWhatHasToStayIsKept() async throws {
        try await withNodes { a, b in
            try await furnish(a.port)
            let configuration = try await a.push(.configuration(.organisation("police")))
            let message = try await a.push(.message(.organisation("police")))
            let database = try await a.database()
            // Long ago; by now the log has come to its second partition.
            try await database.run(
                """
                UPDATE psp.log SET created = created - 50 * 86400000::bigint, expires = expires - 50 * 86400000::bigint;
                INSERT INTO psp.receipt VALUES ((SELECT max(seq) FROM psp.log), 0, 0, 1, '\\x3a30000000000000');
                INSERT INTO psp.log (seq, target, created, kind)
                  SELECT 16777300, 0, extract(epoch FROM clock_timestamp()) * 1000, 14;
                """)
            await a.store.node.extendLog()
            await b.store.node.extendLog()
            #expect(try await database.number("SELECT count(*) FROM psp.log_part") == 3)
            // By this node, unless another one's sweep has begun anew meanwhile.
            try await a.store.node.dropPartitions()
            try await eventually("it is dropped") {
                try await database.number("SELECT count(*) FROM pg_class WHERE relname = 'log_1'") == 0
            }
            #expect(try await database.number("SELECT count(*) FROM psp.log_kept") == 1)
            #expect(try await database.number("SELECT count(*) FROM psp.receipt") == 0)
            await database.close()

            #expect(try await b.port.report(configuration, to: nil).status == .active)
            await #expect(throws: StoreError.refused(Refusal(.noSuchTask, field: "task_id"))) {
                try await b.port.report(message, to: nil)
            }
            try await b.port.putDevice("late", in: "police")
            let late = try await a.connect("late")
            let page = try await a.port.pending(for: late.device, after: late.settledUpTo, limit: 20)
            #expect(page.rows.map(\.task) == [configuration])
            // The newest configuration ends the one that was kept.
            _ = try await b.push(.configuration(.organisation("police"), text: "2"))
            #expect(try await a.port.report(configuration, to: nil).status == .superseded)
        }
    }

    @Test func whateverHasToStayOfAPartitionKeepsWhatBelongsToIt() async throws {
        try await withNodes { a, b in
            try await furnish(a.port)
            let ended = try await a.push(.configuration(.organisation("police"), text: "1"))
            let database = try await a.database()
            // More configurations than one step looks at, half of which ended long ago, each with an acknowledgement.
            try await database.run(
                """
                INSERT INTO psp.log
                  (seq, target, created, kind, app, status, ended_at, body_start, body_end, payload, wall_offset)
                  SELECT 1000 + n, 3::bigint << 56 | 1, l.created, 1, l.app, n % 2, CASE WHEN n % 2 = 1 THEN 1 END, 0, 2, '{}', 0
                  FROM generate_series(1, 2400) n, psp.log l WHERE l.kind = 1;
                UPDATE psp.log SET created = created - 50 * 86400000::bigint, expires = expires - 50 * 86400000::bigint;
                INSERT INTO psp.receipt SELECT l.seq, 0, 0, 1, '\\x3a30000000000000' FROM psp.log l WHERE l.kind = 1;
                INSERT INTO psp.event SELECT l.seq, 1, 1 FROM psp.log l WHERE l.kind = 1;
                INSERT INTO psp.log (seq, target, created, kind)
                  SELECT 16777300, 0, extract(epoch FROM clock_timestamp()) * 1000, 14;
                """)
            await a.store.node.extendLog()
            // By this node, unless another one's sweep has begun anew meanwhile.
            try await a.store.node.dropPartitions()
            try await eventually("it is dropped") {
                try await database.number("SELECT count(*) FROM pg_class WHERE relname = 'log_1'") == 0
            }
            #expect(try await database.number("SELECT count(*) FROM psp.log_kept") == 1_201)
            for table in ["receipt", "event"] {
                #expect(try await database.number("SELECT count(*) FROM psp.\(table)") == 1_201)
                #expect(
                    try await database.number(
                        "SELECT count(*) FROM psp.\(table) p WHERE NOT EXISTS (SELECT 1 FROM psp.log l WHERE l.seq = p.seq)") == 0
                )
            }
            // What was kept is found by everybody, ends, and goes with another partition.
            _ = try await b.push(.configuration(.organisation("police"), text: "2"))
            #expect(try await b.port.report(ended, to: nil).status == .superseded)
            #expect(try await database.number("SELECT count(*) FROM psp.log WHERE seq BETWEEN 1001 AND 3400") == 1_200)
            await database.close()
        }
    }

    @Test func whatEndsWhileItIsCopiedHasEnded() async throws {
        try await withNodes { a, _ in
            try await furnish(a.port)
            let task = try await a.push(.configuration(.organisation("police")))
            let database = try await a.database()
            let after = 16_777_217
            try await database.run(
                """
                DO $$ DECLARE v_run bigint; v_now bigint := extract(epoch FROM clock_timestamp()) * 1000; BEGIN
                  SET LOCAL search_path = psp;
                  PERFORM begin_keeping_1(v_now, \(after));
                  v_run := (SELECT value FROM meta WHERE key = 'keeping');
                  PERFORM keep_rows_1(v_now, v_run, 0, 0, \(after), 200);
                END $$
                """)
            #expect(try await database.number("SELECT count(*) FROM psp.log_keeping WHERE status = 0") == 1)
            _ = try await a.push(.configuration(.organisation("police"), text: "2"))
            try await database.run(
                "SET search_path = psp; "
                    + "SELECT keep_ends_1(wall(), (SELECT value FROM meta WHERE key = 'keeping'), 0, \(after), 1000)"
            )
            #expect(try await database.number("SELECT status::bigint FROM psp.log_keeping") == 2)
            // Whoever begins anew makes whoever was at it before stop.
            try await database.run("SELECT begin_keeping_1(wall(), \(after))")
            let isLost = try await database.number(
                "SELECT is_lost::integer::bigint FROM psp.keep_ends_1(psp.wall(), 1, 0, \(after), 1000)")
            #expect(isLost == 1)
            await database.close()
            #expect(try await a.port.report(task, to: nil).status == .superseded)
        }
    }

    @Test func aSweepThatRemovesNodesWaitsForNobodyWhoWaitsForIt() async throws {
        try await withNodes { a, _ in
            let database = try await a.database()
            try await database.run(
                "INSERT INTO psp.node (name, lease, head, applied, version, started) VALUES ('old', 1, 0, 0, 'test', 1)")
            try await database.takeLane()
            let sweep = Task {
                await a.store.node.slice(Statements.forgetOthers) { $0.append(int4: 500) }
            }
            try await database.untilLaneIsAwaited()
            // As whoever follows a timeline does with the lane.
            try await database.run("UPDATE psp.node SET lease = lease; COMMIT")
            #expect(await sweep.value != nil)
            #expect(try await database.number("SELECT count(*) FROM psp.node WHERE name = 'old'") == 0)
            await database.close()
        }
    }

    @Test func aUserThatIsForgottenWhileItGetsADeviceIsMadeAnew() async throws {
        try await withNodes { a, b in
            try await furnish(a.port)
            let database = try await a.database()
            try await database.run("INSERT INTO psp.holder VALUES (1000, convert_to('zoe', 'UTF8'))")
            try await database.takeLane()
            let change = Task { try await a.port.putDevice("new", in: "police", of: "zoe") }
            try await database.untilLaneIsAwaited()
            try await database.run("DELETE FROM psp.holder WHERE holder = 1000; COMMIT")
            try await change.value
            let known = try await database.number(
                "SELECT count(*) FROM psp.device d JOIN psp.holder h USING (holder) WHERE h.user_id = convert_to('zoe', 'UTF8')"
            )
            #expect(known == 1)
            await database.close()
            _ = try await b.push(.message(.user("zoe")))
        }
    }

    @Test func thePositionsThatAJumpHasReachedHaveAPartitionToo() async throws {
        try await withNodes { a, b in
            try await furnish(a.port)
            let database = try await a.database()
            // From the beginning: nodes look by themselves, too.
            let reader = try await a.database()
            try await reader.run("BEGIN; SELECT count(*) FROM psp.log")
            try await database.run(
                """
                INSERT INTO psp.log (seq, target, created, kind)
                  SELECT (SELECT max(seq) FROM psp.log) + 4294967296, 0, extract(epoch FROM clock_timestamp()) * 1000, 14;
                """)
            let task = try await a.push(.message(.device("phone")))
            #expect(await a.store.node.extendLog() == .isBarred)
            await a.store.node.lane.close()
            #expect(await a.store.node.extendLog() == .isUnknown)
            #expect(await a.store.node.rest(after: .isUnknown) == 0)
            await reader.close()
            try await eventually("the next node makes it") { [.isThere, .wasMade].contains(await b.store.node.extendLog()) }
            #expect(try await database.number("SELECT count(*) FROM psp.log_part") == 3)
            let beyond = try await database.number(
                "SELECT count(*) FROM psp.log_part WHERE first > (SELECT max(seq) FROM psp.log)")
            #expect(beyond == 1)
            await database.close()
            #expect(try await b.port.report(task, to: nil).status == .active)
            _ = try await b.pushWhenServed(.message(.device("phone")))
        }
    }

    /// Counts are as before, also where one of the rows has changed meanwhile.
    @Test func whatSeveralNodesWereToldOfATaskThatIsOverBecomesOneRow() async throws {
        try await withNodes { a, b in
            try await furnish(a.port)
            let group = try await a.push(.message(.organisation("police")))
            let single = try await a.push(.message(.device("phone")))
            let (phone, tablet) = (try await a.connect("phone"), try await b.connect("tablet"))
            let page = try await a.port.pending(for: phone.device, after: phone.settledUpTo, limit: 20)
            let positions = Dictionary(uniqueKeysWithValues: page.rows.map { ($0.task, $0.position) })
            let (groupAt, singleAt) = (try #require(positions[group]), try #require(positions[single]))
            func settle(_ node: TestNode, _ device: DeviceHandle, _ position: Position) {
                node.port.settle([Delivery(device: device, position: position, settledUpTo: position, kind: .delivered)])
            }
            settle(a, phone.device, groupAt)
            settle(b, tablet.device, groupAt)
            // The second node was told of it, too, as the first had died.
            settle(a, phone.device, singleAt)
            settle(b, phone.device, singleAt)
            let database = try await a.database()
            try await eventually("all is written") { try await database.receipts() == 4 }
            // Nothing of it is over yet.
            try await a.store.node.foldReceipts()
            #expect(try await database.receipts() == 4)

            try await database.run("UPDATE psp.log SET created = created - 8 * 86400000::bigint")
            let before = try await b.port.report(group, to: nil).counts
            try await database.run(
                """
                SELECT psp.fold_1(psp.wall() + (SELECT shift FROM psp.clock), 0, ARRAY[\(groupAt.raw)], ARRAY[0], ARRAY[0],
                  ARRAY[NULL::bytea], ARRAY(SELECT 1 FROM psp.receipt WHERE seq = \(groupAt.raw)),
                  ARRAY(SELECT node FROM psp.receipt WHERE seq = \(groupAt.raw)),
                  ARRAY(SELECT 1::bigint FROM psp.receipt WHERE seq = \(groupAt.raw)))
                """)
            #expect(try await database.receipts() == 4, "they have changed since: they are of another version")
            try await a.store.node.foldReceipts()
            #expect(try await database.number("SELECT count(*) FROM psp.receipt WHERE node = 0") == 2)
            #expect(try await database.receipts() == 2)
            #expect(try await b.port.report(group, to: nil).counts == before && before.delivered == 2)
            #expect(try await b.port.report(single, to: nil).counts.delivered == 1)

            #expect(try await database.number("SELECT value FROM psp.meta WHERE key = 'folded'") > singleAt.raw)
            // There is nothing more to fold.
            try await a.store.node.foldReceipts()

            // One that comes even later counts, beside what was folded.
            let late = try await b.connect("iphone")
            settle(b, late.device, groupAt)
            try await eventually("it is counted") { try await a.port.report(group, to: nil).counts.delivered == 3 }
            await database.close()
        }
    }
}
