import Postgres
import PostgresCluster
import Push
import StoreContract
import Testing

@testable import PostgresStore

/// Two nodes over one database: what is pushed on either reaches devices on both, and what they acknowledge is counted once.
@Suite(.timeLimit(.minutes(2)), .serialized)
struct DeliveryBetweenNodesTests {
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
            try await eventually("the others wait for it") { a.store.status.waiting == 60 }
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
