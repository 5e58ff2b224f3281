import Base
import StoreContract
import StoreCore
import Testing

@testable import SQLiteStore

/// How long the writer waits for company, and how much of an import it does at a time.
@Suite("The writer's pace")
struct PaceTests {
    @Test("a lone caller never waits for others")
    func loneCaller() {
        var group = GroupCommit()
        #expect(group.wait(having: 1) == nil)
        group.committed(answering: 7, waiting: 0)
        #expect(group.wait(having: 1) == nil)
    }

    @Test("one of a crowd waits a moment for as many as there were, answered and waiting, and not for more")
    func crowd() throws {
        var group = GroupCommit()
        group.committed(answering: 20, waiting: 12, at: 1_000_000_000)
        let wait = try #require(group.wait(having: 12, at: 1_001_000_000))
        #expect(wait.callers == 32 && wait.nanoseconds <= 500_000)
        #expect(group.wait(having: 32, at: 1_001_000_000) == nil)
        // A crowd that has not come again is none.
        #expect(group.wait(having: 12, at: 1_100_000_000) == nil)
        group.committed(answering: 1, waiting: 0, at: 2_000_000_000)
        #expect(group.wait(having: 1, at: 2_000_000_000) == nil)
    }

    @Test("a queue that gathers wakes when there are enough, and takes fewer after its time")
    func gather() async throws {
        let queue = JobQueue()
        let job = Job(loop: 0, decide: { _, _ in nil }, fail: { _ in nil })
        for _ in 0..<3 { #expect(queue.append(job) == .taken) }
        var taken: [Job] = []
        queue.gather(3, into: &taken, within: 10_000_000_000)
        #expect(taken.count == 3)
        #expect(queue.append(job) == .taken)
        queue.gather(3, into: &taken, within: 1_000_000)
        #expect(taken.count == 4)
        taken.removeAll()
        #expect(queue.drain(into: &taken, within: 0))
        #expect(taken.isEmpty)
        queue.close()
        #expect(!queue.drain(into: &taken, within: 1_000_000))
    }

    @Test("who comes while something that has waited too long is being decided is refused, and taken as soon as it is decided")
    func patience() async throws {
        let queue = JobQueue(patience: 1_000_000)
        var job = Job(loop: 0, decide: { _, _ in nil }, fail: { _ in nil })
        job.isPatienceBounded = true
        #expect(queue.append(job) == .taken)
        var taken: [Job] = []
        #expect(queue.drain(into: &taken, within: 0))
        try await eventually { queue.backlog.longestWait > 1_000_000 }
        #expect(queue.append(job) == .late)
        queue.finished()
        #expect(queue.backlog.longestWait == 0)
        #expect(queue.append(job) == .taken)
    }

    @Test("a slice of an import that took too long makes the next one smaller, and leaves as much time to others")
    func slices() {
        var pace = ImportPace()
        let now: Int64 = 10_000_000_000
        pace.served(after: 0, since: now - 1_000, at: now)
        let size = pace.size
        pace.finished(size, since: now - 1_000, at: now)
        #expect(pace.size == 2 * size)
        pace.finished(pace.size, since: now - 50_000_000, at: now)
        #expect(pace.size == size)
        #expect(pace.next == now + 50_000_000)
    }

    @Test("what is left to others grows while they are seen to wait, and no further, and is their share alone again afterwards")
    func rest() {
        var pace = ImportPace()
        var now: Int64 = 10_000_000_000
        /// How long a slice of a millisecond leaves to others, in slices, when they waited so long.
        func rest(waiting: Int64, commit: Int64 = 1_000_000) -> Double {
            now += 20_000_000
            pace.served(after: waiting, since: now - commit, at: now)
            pace.finished(pace.size, since: now - 1_000_000, at: now)
            return Double(pace.next - now) / 1_000_000
        }
        #expect((0..<10).map { _ in rest(waiting: 4_900_000) } == Array(repeating: 1, count: 10))
        #expect((0..<6).map { _ in rest(waiting: 5_100_000) } == [2, 4, 8, 16, 16, 16])
        #expect((0..<40).map { _ in rest(waiting: 1_000_000) }.last == 1)
        // Where each of their own commits takes 30 ms, the import is not to blame for that.
        for _ in 0..<50 { _ = rest(waiting: 30_000_000, commit: 30_000_000) }
        #expect(rest(waiting: 40_000_000, commit: 30_000_000) == 1)
        #expect(rest(waiting: 80_000_000, commit: 30_000_000) == 2)
    }

    @Test("while nobody else is there, one slice follows the other")
    func alone() {
        var pace = ImportPace()
        let now: Int64 = 10_000_000_000
        pace.served(after: 50_000_000, since: now - 1_000_000, at: now)
        pace.finished(pace.size, since: now + 100_000_000, at: now + 101_000_000)
        #expect(pace.next == now + 101_000_000)
    }

    @Test("an import yields to callers and to a checkpoint, but not for ever")
    func yielding() {
        var pace = ImportPace()
        let now: Int64 = 10_000_000_000
        pace.served(after: 0, since: now, at: now)
        pace.finished(pace.size, since: now - 1_000_000, at: now)
        let due = pace.next
        #expect(!pace.yields(at: due, toWaiting: false, toCheckpoint: false))
        #expect(pace.yields(at: due + 1_000_000, toWaiting: true, toCheckpoint: false))
        pace.wait(at: due + 1_000_000)
        #expect(!pace.yields(at: due + 6_000_000, toWaiting: true, toCheckpoint: false))
        #expect(pace.yields(at: due + 100_000_000, toWaiting: true, toCheckpoint: true))
        #expect(!pace.yields(at: due + 1_000_000_000, toWaiting: true, toCheckpoint: true))
    }

    @Test("facts are written within five seconds, where one is meant, although the wall clock stands still")
    func frozenClock() async throws {
        let fixture = try await SQLiteFixture()
        try await fixture.port.makeApp("app")
        try await fixture.port.makeOrg("root")
        try await fixture.port.makeDevice("d", in: "root")
        try await fixture.port.push(.message(.device("d")))
        let session = try await fixture.port.connect("d")
        let rows = try await session.read()
        let told = ContinuousClock.now
        session.settle(rows)
        try await eventually { try await fixture.rows("SELECT count(*) FROM counter WHERE delivered = 1") == 1 }
        #expect(ContinuousClock.now - told < .seconds(5))
        session.disconnect()
    }
}
