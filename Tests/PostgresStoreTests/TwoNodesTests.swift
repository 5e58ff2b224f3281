import Base
import PostgresCluster
import Push
import StoreContract
import Testing

@testable import PostgresStore

/// Two nodes over one database: what either decides holds on both.
@Suite(.timeLimit(.minutes(2)), .serialized)
struct TwoNodesTests {
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
}
