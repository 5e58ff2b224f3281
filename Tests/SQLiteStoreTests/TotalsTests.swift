import Base
import Push
import StoreCore
import StoreContract
import Testing

@testable import SQLiteStore

private let app = AppKey(unchecked: "app")
private let minute: Int64 = 60_000
private let hour = 60 * minute

/// Statistics are kept by tag and hour: they must be what the tasks themselves say.
@Suite("Statistics by tag")
struct TotalsTests {
    @Test(
        "sums are those of the tasks, whatever happens to them, and when they are forgotten",
        arguments: 1...4 as ClosedRange<UInt64>)
    func random(seed: UInt64) async throws {
        try await TotalsWalk(seed: seed).run(160)
    }

    @Test("a store that has summed nothing answers all the same, and sums it up by and by")
    func unsummed() async throws {
        let fixture = try await Self.furnished()
        for number in 0..<40 { try await fixture.port.push(.message(.organisation("root"), tag: "t\(number % 2)")) }
        try await eventually("sums of everything") { try await fixture.isSummed }
        fixture.close()
        let database = try Database(path: fixture.directory.path + "/psp.db", role: .writer)
        try database.execute("DELETE FROM total")
        try database.execute("DELETE FROM total_expiry")
        try database.execute("UPDATE summed SET upto = 0")
        fixture.options.tuning.mergePause = 3_600_000
        try await fixture.open(fixture.directory.path)
        #expect(try await fixture.port.totals(app: app, tag: "t1", from: nil, to: nil).tasks == 20)
        #expect(try await fixture.port.totals(app: app, tag: "t1", from: nil, to: nil).counts.pending == 40)
        fixture.options.tuning.mergePause = 1
        try await fixture.restart()
        try await eventually("sums of everything") { try await fixture.isSummed }
        #expect(try await fixture.wrongSums == 0)
        #expect(try await fixture.port.totals(app: app, tag: "t1", from: nil, to: nil).counts.pending == 40)
    }

    @Test("what expires is told as expired at once, be it summed or not, and what expires at one moment in any number")
    func expiry() async throws {
        let fixture = try await Self.furnished()
        let end = fixture.clock.now + hour
        for _ in 0..<1_200 { try await fixture.port.push(.message(.device("d1"), tag: "t", expires: end)) }
        func parts() async throws -> [RecipientState: Int] {
            try await fixture.port.totals(app: app, tag: "t", from: nil, to: nil).counts.parts
        }
        #expect(try await parts() == [.pending: 1_200])
        fixture.clock.advance(by: hour - 1)
        #expect(try await parts() == [.pending: 1_200])
        fixture.clock.advance(by: 1)
        #expect(try await parts() == [.expired: 1_200])
        try await eventually("sums of everything") { try await fixture.isSummed }
        #expect(try await fixture.wrongSums == 0)
        #expect(try await parts() == [.expired: 1_200])
        #expect(try await fixture.rows("SELECT count(*) FROM total_expiry") == 0)
    }

    @Test("hours that are cut are counted task by task, those in between by their sums")
    func cutHours() async throws {
        let fixture = try await Self.furnished()
        fixture.clock.advance(by: hour - fixture.clock.now % hour)
        let start = fixture.clock.now
        // A task each ten minutes over four hours.
        for _ in 0..<24 {
            try await fixture.port.push(.message(.device("d1"), tag: "t"))
            fixture.clock.advance(by: 10 * minute)
        }
        try await eventually("sums of everything") { try await fixture.isSummed }
        func count(_ from: Int64?, _ to: Int64?) async throws -> Int {
            try await fixture.port.totals(
                app: app, tag: "t", from: from.map { start + $0 * minute }, to: to.map { start + $0 * minute }
            ).tasks
        }
        for (from, to, tasks) in [
            (nil, nil, 24), (0, 240, 24), (60, 180, 12), (61, 180, 11), (60, 181, 13), (15, 45, 3), (10, 20, 1), (55, 65, 1),
            (50, 130, 8), (230, nil, 1), (nil, 1, 1), (240, nil, 0), (45, 15, 0), (20, 20, 0),
        ] as [(Int64?, Int64?, Int)] {
            #expect(try await count(from, to) == tasks, "from \(from ?? -1) to \(to ?? -1)")
        }
    }

    @Test("an app has two long answers at a time, and each other app its own; a short one is always answered")
    func bound() throws {
        let running = LongReports()
        let other = AppKey(unchecked: "other")
        #expect(running.begin(of: app) && running.begin(of: app) && !running.begin(of: app))
        #expect(running.begin(of: other))
        running.end(of: app)
        #expect(running.begin(of: app) && !running.begin(of: app))
    }

    @Test("a third long answer of an app is refused for now, and a report waits for none of them")
    func crowd() async throws {
        let fixture = try await Self.furnished()
        fixture.clock.advance(by: hour - fixture.clock.now % hour)
        for _ in 0..<600 { try await fixture.port.push(.message(.device("d1"), tag: "t")) }
        let task = try await fixture.port.push(.message(.device("d1"), tag: "t"))
        let from = fixture.clock.now - 1
        // A thread that is held up: whatever is handed to it waits.
        let (held, isHeld) = (WakeSignal(), Locked(false))
        fixture.store.statistics.submit { _ in
            isHeld.withLock { $0 = true }
            held.wait()
        }
        try await eventually("a thread that is held up") { isHeld.withLock { $0 } }
        let port = fixture.port
        let to = fixture.clock.now + 1
        let answers = Locked<[Int]>([])
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<2 {
                group.addTask {
                    let tasks = try await port.totals(app: app, tag: "t", from: from, to: to).tasks
                    answers.withLock { $0.append(tasks) }
                }
            }
            try await eventually("two long answers") { fixture.store.longReports.count(of: app) == 2 }
            await #expect(throws: StoreError.refused(Refusal(.rateLimited))) {
                _ = try await port.totals(app: app, tag: "t", from: from, to: to)
            }
            #expect(try await port.report(task, to: app).status == .active)
            #expect(try await port.totals(app: app, tag: "none", from: nil, to: nil).tasks == 0)
            #expect(answers.withLock { $0 } == [])
            held.signal()
            try await group.waitForAll()
        }
        #expect(answers.withLock { $0 } == [601, 601])
        #expect(fixture.store.longReports.count(of: app) == 0)
    }

    static func furnished(_ change: (inout SQLiteStore.Options) -> Void = { _ in }) async throws -> SQLiteFixture {
        let fixture = try await SQLiteFixture { options in
            options.tuning.mergePause = 1
            change(&options)
        }
        try await fixture.port.makeApp("app")
        for (org, parent) in [("root", nil), ("east", "root"), ("west", "root")] as [(String, String?)] {
            try await fixture.port.makeOrg(org, under: parent)
        }
        try await fixture.port.makeDevice("d1", in: "east", user: "u1")
        try await fixture.port.makeDevice("d2", in: "west", .ios, test: true)
        return fixture
    }

    @Test("tasks without a tag are not worth a commit: there is one for each push, and none while nobody comes")
    func nothingToSum() async throws {
        let fixture = try await SQLiteFixture.onFaultyDisk { options in
            options.tuning.mergePause = 5
            options.sweepInterval = 10
        }
        try await fixture.port.push(.message(.organisation("root")))
        let port = try #require(fixture.port as? LoopPort)
        // Merged, and looked through for sums.
        try await eventually { fixture.store.tail.firstUnmerged == .max }
        // And its counters are written: a sweep would write them.
        _ = try await port.tasks(TaskFilter(), after: nil, limit: 1)
        let before = fixture.disk.syncs
        for _ in 0..<20 {
            fixture.clock.advance(by: 20)
            let sums = fixture.store.holdTimes[.upkeep].counts.reduce(0, +)
            try await eventually {
                _ = try await port.ask { _, _ throws(SQLiteError) in }
                return fixture.store.holdTimes[.upkeep].counts.reduce(0, +) > sums
            }
        }
        #expect(fixture.disk.syncs == before)
        #expect(try await fixture.rows("SELECT upto FROM summed") == 0)
    }
}

/// Anything that changes a count, in any order; the sums are compared after each step, the statistics with the reports now and
/// then.
private final class TotalsWalk {
    private let fixture: SQLiteFixture
    private var random: SplitMix
    private var tasks: [TaskID] = []
    private let tags: [ExactText] = ["a", "b", "caf\u{E9}", "cafe\u{301}"]

    init(seed: UInt64) async throws {
        var random = SplitMix(seed: seed)
        fixture = try await TotalsTests.furnished { options in
            options.tuning.mergeThreshold = Int.random(in: 1...12, using: &random)
            options.tuning.mergePause = Int.random(in: 1...20, using: &random)
            options.tuning.sweepPause = 1
            options.taskRetention = 5 * hour
            options.sweepInterval = 30 * minute
        }
        self.random = random
    }

    func run(_ count: Int) async throws {
        for number in 1...count {
            let step = try await step()
            #expect(try await fixture.wrongSums == 0, "after \(number) steps, the last of them: \(step)")
            if number % 10 == 0 { try await compare() }
        }
        try await eventually("sums of everything") { try await fixture.isSummed }
        try await compare()
    }

    private func pick<T>(_ all: [T]) -> T { all[Int.random(in: 0..<all.count, using: &random)] }

    private func step() async throws -> String {
        switch Int.random(in: 0..<100, using: &random) {
        case 0..<35: return try await push()
        case 35..<55: return try await acknowledge()
        case 55..<65: return try await cancel()
        case 65..<80: return passTime()
        case 80..<95: return try await changeDevice()
        default:
            try await fixture.restart()
            return "restart"
        }
    }

    private func push() async throws -> String {
        let target: PushRequest.Target = pick([.device("d1"), .device("d2"), .user("u1"), .organisation("root")])
        let tag: ExactText? = Int.random(in: 0..<5, using: &random) == 0 ? nil : pick(tags)
        let lifetime: Int64 = pick([0, 1, 1_000, minute, hour, 3 * hour])
        let expires: Int64? = lifetime == 0 ? nil : fixture.clock.now + lifetime
        let size = pick([100, 100, 300])
        let isMessage = Bool.random(using: &random)
        let request: PushRequest =
            isMessage
            ? .message(target, size: size, tag: tag, expires: expires)
            : .configuration(target, size: size, tag: tag, expires: expires)
        let accepted = await fixture.port.append(request)
        if let task = accepted.storedTask { tasks.append(task) }
        return "push \(target) \(accepted)"
    }

    private func acknowledge() async throws -> String {
        let session = try await fixture.port.connect(pick(["d1", "d2"]))
        let rows = try await session.read()
        let settled = rows.filter { _ in Bool.random(using: &random) }
        let kinds: [Delivery.Kind] = [.delivered, .delivered, .skipped, .rejected(reasonCode: 0x97)]
        session.settle(settled, pick(kinds))
        session.settleAgain(settled, by: fixture.port)
        if let row = rows.first { _ = try await session.tell(row.task, pick(ReceiptEvent.allCases)) }
        session.disconnect()
        return "receipts of \(settled.count)"
    }

    private func cancel() async throws -> String {
        guard !tasks.isEmpty else { return "nothing" }
        let task = pick(tasks)
        do {
            _ = try await fixture.port.cancel(task, by: app)
        } catch {
            // It may be forgotten.
            guard error == StoreError.refused(Refusal(.noSuchTask, field: "task_id")) else { throw error }
        }
        return "cancel \(task)"
    }

    private func passTime() -> String {
        let time: Int64 = pick([1, 999, minute, 20 * minute, hour, 2 * hour])
        fixture.clock.advance(by: time)
        return "time +\(time)"
    }

    private func changeDevice() async throws -> String {
        switch Int.random(in: 0..<3, using: &random) {
        case 0:
            let user = pick(["u1", "u2", ""])
            try await fixture.port.give("d1", to: user.isEmpty ? nil : user)
            return "holder \(user)"
        case 1:
            let isTest = Bool.random(using: &random)
            try await fixture.port.change("d2") { $0.test = isTest }
            return "test mode \(isTest)"
        default:
            let org = pick(["east", "west", "root"])
            try await fixture.port.move("d1", to: org)
            return "move to \(org)"
        }
    }

    /// Statistics over any time are the sums of the reports. Between the two a task may be forgotten: then both are read again.
    private func compare() async throws {
        let (now, length) = (fixture.clock.now, 8 * hour)
        let from = now - Int64.random(in: 0...length, using: &random)
        let to = from + Int64.random(in: 0...length, using: &random)
        for tag in tags {
            for (from, to) in [(nil, nil), (from, nil), (nil, to), (from, to)] as [(Int64?, Int64?)] {
                var (found, expected) = try await read(tag, from, to)
                for _ in 0..<100 where found != expected { (found, expected) = try await read(tag, from, to) }
                #expect(found == expected, "\(tag) from \(from ?? 0) to \(to ?? 0), at \(now)")
            }
        }
    }

    private struct Sum: Equatable {
        var tasks = 0
        var counts = Counts()
    }

    private func read(_ tag: ExactText, _ from: Int64?, _ to: Int64?) async throws -> (Sum, Sum) {
        let found = try await fixture.port.totals(app: app, tag: tag, from: from, to: to)
        let filter = TaskFilter(app: app, tag: tag, from: from, to: to)
        let reports = try await fixture.port.all { after throws(StoreError) in
            try await fixture.port.tasks(filter, after: after, limit: 1_000)
        }
        var sum = Sum()
        for report in reports {
            sum.tasks += 1
            sum.counts += report.counts
        }
        return (Sum(tasks: found.tasks, counts: found.counts), sum)
    }
}
