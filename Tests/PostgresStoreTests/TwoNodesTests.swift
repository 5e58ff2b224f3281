import Base
import Postgres
import PostgresCluster
import Push
import StoreContract
import Testing

@testable import PostgresStore

/// Two nodes over one database: any of them takes any push and any device.
@Suite(.timeLimit(.minutes(2)), .serialized)
struct TwoNodesTests {
    @Test func aPushOnOneNodeReachesADeviceOnTheOther() async throws {
        try await withNodes { a, b in
            try await furnish(a.port)
            let device = try await b.connect("phone")
            let task = try await a.push(.message(.device("phone"), text: "to one"))
            try await b.loop.waitForEntry("the row") { $0.task == task }
            let row = try #require(b.loop.takeEvents().flatMap(\.rows).first { $0.task == task })
            #expect(String(decoding: row.payload, as: UTF8.self).contains("to one"))
            b.port.settle([
                Delivery(device: device.device, position: row.position, settledUpTo: row.position, kind: .delivered)
            ])
            try await eventually("the other node's report counts it") {
                try await a.port.report(task, to: AppKey(unchecked: "app")).counts.delivered == 1
            }
            let report = try await a.port.report(task, to: AppKey(unchecked: "app"))
            #expect(report.status == .completed)
            #expect(report.target == .device(DeviceToken(unchecked: "phone")))
            #expect(a.loop.takeEvents().flatMap(\.rows).isEmpty, "a row for one device goes to its node alone")
        }
    }

    @Test func aGroupReachesEveryNodeAndIsCountedOnce() async throws {
        try await withNodes { a, b in
            try await furnish(a.port)
            let phones = [try await a.connect("phone"), try await b.connect("tablet")]
            let task = try await b.push(.message(.organisation("police"), text: "to all"))
            for node in [a, b] { try await node.loop.waitForEntry("the row") { $0.task == task } }
            for (node, phone) in zip([a, b], phones) {
                let row = try #require(node.loop.takeEvents().flatMap(\.rows).first { $0.task == task })
                let fact = Delivery(device: phone.device, position: row.position, settledUpTo: row.position, kind: .delivered)
                // Told twice, and at both nodes: the device has come back to the other one before the first had answered.
                for other in [a, b] { other.port.settle([fact, fact]) }
            }
            try await eventually("both are counted") {
                try await a.port.report(task, to: nil).counts.delivered == 2
            }
            let counts = try await b.port.report(task, to: nil).counts
            #expect(counts.targeted == 3)
            #expect(counts.pending == 1)
        }
    }

    /// So many in one reading that each node is told only of its own.
    @Test func ofManyPushesToSingleDevicesEachNodeTellsItsOwnInTheirOrder() async throws {
        try await withNodes { a, b in
            try await furnish(a.port)
            _ = try await (a.connect("phone"), b.connect("tablet"))
            let database = try await a.database()
            try await database.takeLane()
            async let first = a.push(.message(.organisation("police"), text: "all"))
            try await database.untilLaneIsAwaited()
            let pushes = Task {
                try await withThrowingTaskGroup(of: (token: String, task: TaskID).self) { group in
                    for number in 0..<60 {
                        let token = ["phone", "tablet", "iphone"][number % 3]
                        group.addTask { (token, try await a.push(.message(.device(token), text: "\(number)"))) }
                    }
                    return try await group.reduce(into: []) { $0.append($1) }
                }
            }
            try await eventually("the others wait for it") { a.store.node.figures.status.waiting == 60 }
            try await database.run("COMMIT")
            let made = try await pushes.value + [("", first)]
            for (node, token) in [(a, "phone"), (b, "tablet")] {
                let own = Set(made.filter { [token, ""].contains($0.token) }.map(\.task))
                for task in own { try await node.loop.waitForEntry("its own") { $0.task == task } }
                let told = node.loop.takeEvents().flatMap(\.rows)
                #expect(Set(told.map(\.task)) == own && told.count == own.count)
                #expect(told.map(\.position) == told.map(\.position).sorted())
            }
            await database.close()
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

    @Test func whatWasMissedIsReadWhereTheDeviceComesBack() async throws {
        try await withNodes { a, b in
            try await furnish(a.port)
            var tasks: [TaskID] = []
            for number in 0..<5 { tasks.append(try await a.push(.message(.user("ann"), text: "\(number)"))) }
            tasks.append(try await b.push(.message(.organisation("police"), text: "all")))
            let attached = try await b.connect("phone")
            let page = try await b.port.pending(for: attached.device, after: attached.settledUpTo, limit: 20)
            #expect(page.rows.map(\.task) == tasks)
            #expect(page.lookedUpTo >= attached.feedFrom)
            let first = try await b.port.pending(for: attached.device, after: attached.settledUpTo, limit: 2)
            #expect(first.rows.map(\.task) == Array(tasks[..<2]))
            #expect(first.lookedUpTo < page.rows[2].position)
        }
    }

    @Test func whoBelongsElsewhereSinceItCameGetsWhatIsPushedThere() async throws {
        try await withNodes { a, b in
            try await furnish(a.port)
            var lab = OrganisationChange()
            lab.name = "Lab"
            _ = try await a.port.apply(.putOrganisation(OrgID(unchecked: "lab"), lab))
            let attached = try await a.connect("phone")
            var move = DeviceChange()
            move.organisation = OrgID(unchecked: "lab")
            _ = try await b.port.apply(.putDevice(DeviceToken(unchecked: "phone"), move, secretIfNew: "secret"))
            let task = try await b.push(.message(.organisation("lab")))
            try await a.loop.waitForEntry("the row") { $0.task == task }
            let page = try await a.port.pending(for: attached.device, after: attached.settledUpTo, limit: 20)
            #expect(page.rows.map(\.task) == [task])
        }
    }

    @Test func whereADeviceBelongsIsNotAskedTwice() async throws {
        try await withPostgres(settings: ["track_functions": "all"]) { server in
            let address = server.address()
            try await withNodes(over: address) { a, b in
                try await furnish(a.port)
                try await a.port.putDevice("watch", in: "police")
                for token in ["phone", "tablet", "iphone"] {
                    let attached = try await b.connect(token)
                    let page = try await b.port.pending(for: attached.device, after: attached.feedFrom, limit: 20)
                    #expect(page.rows.isEmpty && page.membership.platform == (token == "iphone" ? .ios : .android))
                }
                // Of one that was served further elsewhere only the database knows what has changed by then.
                let far = try await a.connect("watch")
                _ = try await a.port.pending(for: far.device, after: Position(raw: far.feedFrom.raw + 5), limit: 20)
            }
            // Servers' processes have told their calls when they have ended.
            let database = try await PostgresClient(PostgresOptions(try PostgresAddress(parsing: address)))
            try await eventually("the nodes' sessions have ended") {
                try await database.number("SELECT count(*) FROM pg_stat_activity WHERE datname IS NOT NULL") == 1
            }
            for (name, count) in [("claim_2", 4), ("histories_1", 1)] {
                let calls = "SELECT coalesce(sum(calls), 0)::bigint FROM pg_stat_user_functions WHERE funcname = '\(name)'"
                #expect(try await database.number(calls) == count, "\(name)")
            }
            await database.close()
        }
    }

    /// Not only the next renewal tells it, which may come a second later.
    @Test func whatIsAwaitedIsToldThoughTheReadingEndsWithAnotherRow() async throws {
        try await withNodes { a, b in
            try await furnish(a.port)
            let task = try await a.push(.message(.organisation("police")))
            try await b.loop.waitForEntry("the row") { $0.task == task }
            b.store.node.enter { $0.holdsRenewals = true }
            let database = try await a.database()
            // The end of a message to a device that is nobody's, and a message to many.
            try await database.run(
                """
                BEGIN;
                SELECT pg_advisory_xact_lock(1886613553, 0);
                INSERT INTO psp.log (seq, target, created, kind, ref)
                SELECT (SELECT max(seq) FROM psp.log) + 1, 1::bigint << 56 | min(ordinal), psp.wall(), 3, 1 FROM psp.device;
                INSERT INTO psp.log (seq, target, created, kind, app, body_start, body_end, payload)
                SELECT (SELECT max(seq) FROM psp.log) + 1, target, created, 0, app, body_start, body_end, payload
                FROM psp.log WHERE kind = 0;
                COMMIT
                """)
            try await eventually("it has told how far it is") {
                try await database.number(
                    "SELECT count(*) FROM psp.node WHERE name = 'b' AND applied >= (SELECT max(seq) FROM psp.log WHERE kind = 3)"
                ) == 1
            }
            b.store.node.enter { $0.holdsRenewals = false }
            await database.close()
        }
    }

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

    @Test func aRecalledTaskIsHandedOutByNobodyWhenTheCallReturns() async throws {
        try await withNodes { a, b in
            try await furnish(a.port)
            let task = try await a.push(.message(.organisation("police")))
            #expect(try await b.port.cancel(task, by: AppKey(unchecked: "app")) == .cancelled)
            for node in [a, b] {
                let ended = node.loop.takeEntries().contains { if case .ended(task, _) = $0 { true } else { false } }
                #expect(ended)
            }
            #expect(try await a.port.report(task, to: nil).status == .cancelled)
            #expect(try await a.port.cancel(task, by: .installation) == .cancelled)
        }
    }

    /// A caller that got no answer repeats the call, perhaps while the first one still waits.
    @Test func whatIsRepeatedIsAnsweredWhenEveryNodeHasApplied() async throws {
        try await withNodes { a, b in
            try await furnish(a.port)
            let task = try await a.push(.message(.organisation("police")))
            let database = try await a.database()
            // The other node cannot tell how far it is.
            try await database.run("BEGIN; SELECT 1 FROM psp.node WHERE name = 'b' FOR UPDATE")
            let answered = Locked(0)
            async let recalled = a.port.cancel(task, by: .installation)
            async let moved: Void = a.port.putDevice("watch", in: "police")
            try await eventually("both are done") {
                let status = try await a.port.report(task, to: nil).status
                let devices = try await database.number("SELECT count(*) FROM psp.device WHERE token = 'watch'")
                return devices == 1 && status == .cancelled
            }
            let repeated = Task {
                try await withThrowingTaskGroup(of: Void.self) { group in
                    group.addTask { _ = try await a.port.cancel(task, by: AppKey(unchecked: "app")) }
                    group.addTask { _ = try await a.port.cancel(task, by: .installation) }
                    group.addTask { try await a.port.putDevice("watch", in: "police") }
                    for try await _ in group { answered.withLock { $0 += 1 } }
                }
            }
            try await Task.sleep(for: .milliseconds(300))
            #expect(answered.withLock { $0 } == 0)
            try await database.run("COMMIT")
            #expect(try await recalled == .cancelled)
            try await moved
            try await repeated.value
            await database.close()
        }
    }

    @Test func oneOutBizNoIsOneTaskOnWhicheverNode() async throws {
        try await withNodes { a, b in
            try await furnish(a.port)
            let request = PushRequest.message(.device("phone"), bizNo: "order-7")
            async let one = a.accepted(request)
            async let other = b.accepted(request)
            let both = await [one, other]
            let stored = both.compactMap { if case .stored(let task) = $0 { task } else { nil } }
            let repeated = both.compactMap { if case .repeated(let task) = $0 { task } else { nil } }
            #expect(stored.count == 1)
            #expect(stored == repeated)
            let changed = await b.accepted(.message(.device("phone"), bizNo: "order-7", text: "another"))
            #expect(changed == .refused(Refusal(.outBizNoReused, field: "policy.out_biz_no")))
        }
    }

    @Test func aNewerConfigurationEndsTheOlderOne() async throws {
        try await withNodes { a, b in
            try await furnish(a.port)
            let older = try await a.push(.configuration(.organisation("police"), text: "1"))
            let newer = try await b.push(.configuration(.organisation("police"), text: "2"))
            #expect(try await a.port.report(older, to: nil).status == .superseded)
            #expect(try await a.port.report(newer, to: nil).status == .active)
            let device = try await a.connect("phone")
            let page = try await a.port.pending(for: device.device, after: device.settledUpTo, limit: 20)
            #expect(page.rows.map(\.task) == [newer])
        }
    }

    @Test func changesOfBothNodesHaveOneOrder() async throws {
        try await withNodes { a, b in
            try await furnish(a.port)
            // Both decide by what they know; whoever comes second decides anew.
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 0..<8 {
                    let node = number % 2 == 0 ? a : b
                    group.addTask {
                        try await node.port.putDevice("extra\(number)", in: "police", of: "user\(number)")
                    }
                }
                try await group.waitForAll()
            }
            let task = try await a.push(.message(.organisation("police")))
            #expect(try await b.port.report(task, to: nil).counts.targeted == 11)
            for number in 0..<8 { #expect(await a.accepted(.message(.user("user\(number)"))).isStored) }
        }
    }

    @Test func whatACallerMayNotDoIsRefusedAsTheInterfaceSays() async throws {
        try await withNodes { a, _ in
            try await furnish(a.port)
            #expect(await a.accepted(.message(.device("phone"), from: "nobody")).refusal?.code == .unknownAppKey)
            #expect(await a.accepted(.message(.device("nothing"))).refusal == Refusal(.noSuchDevice, field: "device_tokens"))
            #expect(await a.accepted(.message(.user("nobody"))).refusal == Refusal(.userHasNoDevice, field: "user_id"))
            #expect(await a.accepted(.message(.organisation("none"))).refusal == Refusal(.noSuchOrganisation, field: "org_id"))
            #expect(await a.accepted(.message(.device("phone"), testOnly: true)).refusal?.code == .noTestDevice)
            #expect(
                await a.accepted(.message(.device("iphone"), size: 300)).refusal
                    == Refusal(.payloadTooLarge, field: "payload", .size(300, limit: 256, .ios)))
            #expect(await a.accepted(.message(.device("phone"), expires: 1)).refusal?.code == .invalidValue)
            let mixed = try await a.push(.message(.organisation("police"), size: 300))
            let counts = try await a.port.report(mixed, to: nil).counts
            #expect(counts.targeted == 3)
            #expect(counts.skippedOversize == 1)
        }
    }

    @Test func anAppsRateHoldsOverAllNodes() async throws {
        try await withNodes { a, b in
            try await furnish(a.port, perSecond: 5)
            var stored = 0
            for number in 0..<12 where await (number % 2 == 0 ? a : b).accepted(.message(.device("phone"))).isStored {
                stored += 1
            }
            #expect((5...7).contains(stored))
            #expect(await a.accepted(.message(.device("phone"))).refusal?.code == .rateLimited)
        }
    }

    @Test func aNodesNameIsTakenWhileItLives() async throws {
        try await withNodes { a, _ in
            let lines = Locked<[String]>([])
            var options = a.options
            options.log = { line in lines.withLock { $0.append(line) } }
            let second = try PostgresStore(options)
            try await eventually("it says so") { lines.withLock { $0 }.contains { $0.contains("lives") } }
            second.close()
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

    @Test func anOrganisationThatIsGoneIsGoneOnEveryNode() async throws {
        try await withNodes { a, b in
            try await furnish(a.port)
            var change = OrganisationChange()
            change.name = "Traffic"
            change.parent = .set(OrgID(unchecked: "police"))
            _ = try await a.port.apply(.putOrganisation(OrgID(unchecked: "traffic"), change))
            _ = try await b.port.apply(.removeOrganisation(OrgID(unchecked: "traffic")))
            let gone = StoreError.refused(Refusal(.noSuchOrganisation, field: "org_id"))
            await #expect(throws: gone) { try await a.port.putDevice("late", in: "traffic") }
            #expect(await a.accepted(.message(.organisation("traffic"))).refusal?.code == .noSuchOrganisation)
            // Another one of that name is another one.
            #expect(try await a.port.apply(.putOrganisation(OrgID(unchecked: "traffic"), change)) == .created(secret: nil))
        }
    }

    @Test func noAcknowledgementIsLostToReportsThatComeMeanwhile() async throws {
        try await withNodes { a, b in
            try await furnish(a.port)
            for number in 0..<24 { try await a.port.putDevice("extra\(number)", in: "police") }
            let task = try await a.push(.message(.organisation("police")))
            try await a.loop.waitForEntry("the row") { $0.task == task }
            let row = try #require(a.loop.takeEvents().flatMap(\.rows).first { $0.task == task })
            for number in 0..<24 {
                let device = try await a.connect("extra\(number)").device
                a.port.settle([
                    Delivery(device: device, position: row.position, settledUpTo: row.position, kind: .delivered)
                ])
                // Each has the node write what it was told so far.
                async let one = a.port.report(task, to: nil)
                async let other = a.port.report(task, to: nil)
                _ = try await (one, other)
            }
            #expect(try await b.port.report(task, to: nil).counts.delivered == 24)
        }
    }
}
