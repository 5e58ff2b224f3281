import Base
import FaultVFS
import Foundation
import Push
import StoreContract
import StoreCore
import Testing

@testable import SQLiteStore

private let minute: Int64 = 60_000
private let hour = 60 * minute
private let day = 24 * hour

/// How store time goes on over restarts, reboots and steps of the wall clock; what it means for rows, the contract tells.
@Suite("Store time")
struct TimeTests {
    private func furnished(_ change: (inout SQLiteStore.Options) -> Void = { _ in }) async throws -> SQLiteFixture {
        let fixture = try await SQLiteFixture(change)
        try await fixture.port.makeApp("app")
        try await fixture.port.makeOrg("root")
        try await fixture.port.makeDevice("d", in: "root")
        return fixture
    }

    private func push(_ fixture: SQLiteFixture, expiringIn lifetime: Int64? = nil) async throws -> TaskID {
        try await fixture.port.push(.message(.device("d"), expires: lifetime.map { fixture.clock.now + $0 }))
    }

    // MARK: Restarts

    @Test("it goes on exactly over a restart in the same boot, whatever the wall clock says")
    func restart() async throws {
        let fixture = try await furnished()
        let before = try await fixture.port.clockState().storeTime
        fixture.close()
        fixture.clock.advance(by: hour)
        fixture.clock.step(by: 8 * hour)
        try await fixture.open(fixture.directory.path)
        #expect(fixture.store.clock.now == before + hour)
        let state = try await fixture.port.clockState()
        #expect(state.storeTime == before + hour && state.wallClock == before + 9 * hour && state.steps == 1)
        fixture.clock.step(by: -8 * hour)
        try await fixture.restart()
        #expect(try await fixture.port.clockState().storeTime == before + hour)
    }

    @Test("a boot with a clock that is hours ahead ends nothing and dates nothing, as soon as it is set right")
    func bootAhead() async throws {
        let fixture = try await furnished()
        let waiting = try await push(fixture, expiringIn: hour)
        fixture.close()
        fixture.clock.reboot(after: 8 * hour)
        fixture.clock.setSynchronised(false)
        try await fixture.open(fixture.directory.path)
        #expect(try await fixture.port.pendingTasks("d") == [waiting])
        let early = try await push(fixture, expiringIn: hour)
        fixture.clock.advance(by: 30_000)
        fixture.clock.step(by: -8 * hour)
        fixture.clock.setSynchronised(true)
        let late = try await push(fixture, expiringIn: hour)
        #expect(try await fixture.port.pendingTasks("d") == [waiting, early, late])
        fixture.clock.advance(by: hour - 30_000)
        #expect(try await fixture.port.pendingTasks("d") == [late])
        fixture.clock.advance(by: 30_000)
        #expect(try await fixture.port.pendingTasks("d").isEmpty)
    }

    @Test("after a reboot it goes on from the last that is known, and follows the wall clock a minute later")
    func reboot() async throws {
        let fixture = try await furnished()
        let short = try await push(fixture, expiringIn: hour)
        let long = try await push(fixture)
        let last = fixture.clock.now
        fixture.close()
        fixture.clock.reboot(after: 3 * hour)
        try await fixture.open(fixture.directory.path)
        var state = try await fixture.port.clockState()
        #expect(state.storeTime == last)
        #expect(state.ahead == ClockState.Ahead(duration: 0, waitsFor: .time(minute)))
        // What ends late does so rather than never having been.
        #expect(try await fixture.port.pendingTasks("d") == [short, long])
        let new = try await push(fixture, expiringIn: hour)
        let (created, wish) = (fixture.clock.now, fixture.clock.now + hour)
        fixture.clock.advance(by: minute - 1)
        state = try await fixture.port.clockState()
        #expect(state.ahead == ClockState.Ahead(duration: minute - 1, waitsFor: .time(1)))
        // It looks once in a second.
        fixture.clock.advance(by: 1_000)
        state = try await fixture.port.clockState()
        #expect(state.ahead == nil && state.storeTime == fixture.clock.now)
        // The machine was off for longer than the first had to live. What came since then has lost nothing.
        try await eventually { fixture.store.clock.now == fixture.clock.now }
        #expect(try await fixture.port.status(short) == .expired)
        #expect(try await fixture.port.pendingTasks("d") == [long, new])
        let report = try await fixture.port.report(new, to: nil)
        #expect(report.createdAt == created && report.expireAt == wish)
        try await fixture.restart()
        #expect(try await fixture.port.report(new, to: nil).expireAt == wish)
        fixture.clock.advance(by: hour - minute - 1_000)
        #expect(try await fixture.port.pendingTasks("d") == [long, new])
        fixture.clock.advance(by: 1)
        #expect(try await fixture.port.pendingTasks("d") == [long])
        #expect(fixture.loop.faults.isEmpty)
    }

    @Test("loops read anew what does not age by it before they see it go forward")
    func gap() async throws {
        let fixture = try await furnished()
        fixture.clock.step(by: 3 * hour)
        _ = try await push(fixture, expiringIn: hour)
        fixture.clock.advance(by: minute)
        _ = fixture.loop.takeEvents()
        let (loop, clock, port) = (fixture.loop, fixture.store.clock, fixture.port)
        let before = clock.now
        let file = try Database(path: fixture.directory.path + "/psp.db", role: .reader)
        try await loop.hanging {
            // Its own answer waits as well.
            Task { try await port.clockState() }
            try await eventually { try file.number("SELECT count(*) FROM clock_step WHERE shift > 0") == 1 }
            #expect(clock.now == before)
        }
        try await eventually { clock.now == fixture.clock.now }
        let gaps = loop.takeEvents().filter { if case .gap = $0 { true } else { false } }
        #expect(gaps.count == 1)
    }

    @Test("where the system tells no boot, every start is a new one")
    func hiddenBoot() async throws {
        let fixture = try await furnished()
        fixture.clock.hideBoot()
        try await fixture.restart()
        let last = fixture.clock.now
        try await fixture.port.makeDevice("e", in: "root")
        fixture.close()
        fixture.clock.advance(by: hour)
        try await fixture.open(fixture.directory.path)
        #expect(fixture.store.clock.now == last)
        #expect(try await fixture.port.clockState().ahead?.waitsFor == .time(minute))
    }

    @Test("what was pending expires in a store that is copied to another machine, and store ids go on")
    func copy() async throws {
        let fixture = try await furnished()
        let old = try await push(fixture, expiringIn: hour)
        fixture.close()
        let path = fixture.directory.path
        let copy = try TemporaryDirectory()
        try FileManager.default.copyItem(atPath: path + "/psp.db", toPath: copy.path + "/psp.db")
        if FileManager.default.fileExists(atPath: path + "/psp.db-wal") {
            try FileManager.default.copyItem(atPath: path + "/psp.db-wal", toPath: copy.path + "/psp.db-wal")
        }
        fixture.clock.reboot(after: 2 * day)
        try await fixture.open(copy.path)
        let new = try await push(fixture)
        fixture.clock.advance(by: minute)
        #expect(try await fixture.port.clockState().ahead == nil)
        try await eventually { try await fixture.port.status(old) == .expired }
        #expect(try await fixture.port.pendingTasks("d") == [new])
    }

    // MARK: Directories that knew the wall clock only

    /// By SQLite's own means, as the program of that time would have left it.
    private func edit(_ fixture: SQLiteFixture, _ sql: String) throws {
        try OtherProgram(on: fixture.directory.path + "/psp.db").execute("DELETE FROM clock; DELETE FROM clock_step;" + sql)
    }

    @Test("what a clock that was ahead has dated keeps its lifetime and its order, from now on", arguments: [1, 2, 10_000])
    func poisoned(rowsAtATime: Int) async throws {
        let fixture = try await furnished { $0.tuning.rowsAtATime = rowsAtATime }
        let before = try await push(fixture, expiringIn: 2 * hour)
        let old = fixture.clock.now
        var dated: [TaskID] = []
        for lifetime in [hour, 3 * day, 5 * hour] { dated.append(try await push(fixture, expiringIn: lifetime)) }
        let named = PushRequest.message(.device("d"), bizNo: "b")
        dated.append(try await fixture.port.push(named))
        let cancelled = try await push(fixture)
        try await fixture.port.recall(cancelled)
        fixture.close()
        // Everything but the first came while the clock was years ahead, and shortly after.
        try edit(
            fixture,
            """
            UPDATE message SET created = created + \(1_000 * day) + seq, expires = expires + \(1_000 * day) + seq,
              ended_at = ended_at + \(1_000 * day) WHERE seq > (SELECT min(seq) FROM message);
            """)
        fixture.clock.advance(by: minute)
        let now = fixture.clock.now
        try await fixture.open(fixture.directory.path)
        #expect(try await fixture.port.clockState().storeTime == now)
        #expect(try await fixture.port.report(before, to: nil).createdAt == old)
        for (task, lifetime) in zip(dated, [hour, 3 * day, 5 * hour, 3 * day]) {
            let report = try await fixture.port.report(task, to: nil)
            #expect(report.createdAt == now && report.expireAt == now + lifetime)
        }
        #expect(try await fixture.rows("SELECT ended_at FROM message WHERE status = 1") == now)
        #expect(try await fixture.port.pendingTasks("d") == [before] + dated)
        #expect(await fixture.port.append(named) == .repeated(dated[3]))
        let new = try await push(fixture, expiringIn: hour)
        fixture.clock.advance(by: hour)
        #expect(try await fixture.port.pendingTasks("d") == [before] + dated[1...])
        #expect(try await fixture.port.status(new) == .expired)
        fixture.clock.advance(by: day)
        #expect(try await fixture.port.push(named) != dated[3])
    }

    @Test("a clock that is far behind when such a directory is opened is not believed")
    func openedTooEarly() async throws {
        // Files are dated by the real clock.
        let clock = ManualClock(WallClock.milliseconds - minute)
        let fixture = try await furnished { $0.clocks = clock.clocks }
        let task = try await fixture.port.push(.message(.device("d"), expires: clock.now + hour))
        fixture.close()
        try edit(fixture, "")
        clock.step(by: -50 * 365 * day)
        try await fixture.open(fixture.directory.path)
        #expect(try await fixture.port.pendingTasks("d") == [task])
        clock.step(by: 50 * 365 * day)
        clock.advance(by: 2 * minute)
        #expect(try await fixture.port.clockState().ahead == nil)
        #expect(try await fixture.port.pendingTasks("d") == [task])
    }

    // MARK: Following

    @Test("where the system does not say that its clock is right, a step has to stand for ten minutes")
    func unconfirmed() async throws {
        let fixture = try await furnished()
        fixture.clock.setSynchronised(false)
        fixture.clock.step(by: 23 * hour)
        #expect(try await fixture.port.clockState().ahead?.waitsFor == .time(10 * minute))
        fixture.clock.advance(by: 10 * minute - 1)
        #expect(try await fixture.port.clockState().ahead?.waitsFor == .time(1))
        fixture.clock.advance(by: 1_000)
        #expect(try await fixture.port.clockState().ahead == nil)
    }

    @Test("one of a day and more waits for the system's word, or for an operator's")
    func largeStep() async throws {
        let fixture = try await furnished()
        fixture.clock.setSynchronised(false)
        for isAccepted in [true, false] {
            fixture.clock.step(by: 24 * hour)
            let task = try await push(fixture, expiringIn: hour)
            fixture.clock.advance(by: 30 * minute)
            let state = try await fixture.port.clockState()
            #expect(state.ahead == ClockState.Ahead(duration: 30 * minute, waitsFor: .synchronisation))
            if isAccepted {
                #expect(try await fixture.port.acceptWallClock().storeTime == fixture.clock.now)
            } else {
                fixture.clock.setSynchronised(true)
                fixture.clock.advance(by: 1_000)
                #expect(try await fixture.port.clockState().storeTime == fixture.clock.now)
            }
            try await eventually { fixture.store.clock.now == fixture.clock.now }
            #expect(try await fixture.port.pendingTasks("d").contains(task))
        }
    }

    @Test("an operator's word changes nothing where the wall clock is not ahead")
    func nothingToAccept() async throws {
        let fixture = try await furnished()
        let before = try await fixture.port.clockState()
        #expect(try await fixture.port.acceptWallClock() == before)
        fixture.clock.step(by: -hour)
        let back = try await fixture.port.acceptWallClock()
        #expect(back.storeTime == before.storeTime && back.ahead == nil && back.steps == 1)
        // It is not kept for a step that comes later.
        fixture.clock.step(by: 2 * hour)
        #expect(try await fixture.port.clockState().ahead?.waitsFor == .time(minute))
    }

    @Test("a step begins anew when the clock is set again")
    func setAgain() async throws {
        let fixture = try await furnished()
        fixture.clock.step(by: 3 * hour)
        _ = try await fixture.port.clockState()
        fixture.clock.advance(by: 59_000)
        fixture.clock.step(by: -10_000)
        #expect(try await fixture.port.clockState().ahead?.waitsFor == .time(minute))
        fixture.clock.advance(by: 2_000)
        fixture.clock.step(by: -3 * hour)
        #expect(try await fixture.port.clockState().ahead == nil)
        fixture.clock.advance(by: hour)
        let state = try await fixture.port.clockState()
        #expect(state.wallClock == state.storeTime - 10_000 && state.steps == 3)
    }

    @Test("clocks drift and are slewed: two seconds change nothing")
    func drift() async throws {
        let fixture = try await furnished()
        let created = fixture.clock.now
        for _ in 0..<4 { fixture.clock.step(by: 500) }
        let task = try await push(fixture)
        #expect(try await fixture.port.report(task, to: nil).createdAt == created)
        #expect(try await fixture.port.clockState().steps == 0)
        #expect(try await fixture.rows("SELECT count(*) FROM clock_step") == 1)
        fixture.clock.step(by: 1)
        #expect(try await fixture.port.clockState().steps == 1)
        #expect(fixture.log.all.contains { $0.contains("the wall clock has jumped ahead by 2.0 s") })
    }

    // MARK: Bounds

    @Test("a clock that jumps without end fills neither the file nor the log, and no row is read otherwise for it")
    func manySteps() async throws {
        let fixture = try await furnished()
        let port = fixture.port
        // Accepted while the clock was ahead, and store time has followed: its times have gone forward.
        fixture.clock.step(by: 3 * hour)
        let (created, expires) = (fixture.clock.now, fixture.clock.now + 2 * hour)
        let kept = try await port.push(.message(.device("d"), tag: "t", expires: expires))
        fixture.clock.advance(by: minute)
        try await eventually { try await port.clockState().ahead == nil }
        let steps = try await port.clockState().steps
        for _ in 0..<600 {
            for step in [hour, -hour] {
                fixture.clock.step(by: step)
                _ = await port.append(.message(.device("d")))
            }
        }
        #expect(try await port.clockState().steps == steps + 1_200)
        #expect(try await fixture.rows("SELECT count(*) FROM clock_step") < 1_030)
        #expect(fixture.log.all.count { $0.contains("has jumped") } <= 2)
        let report = try await port.report(kept, to: nil)
        #expect(report.status == .active && report.createdAt == created && report.expireAt == expires)
        try await eventually { try await fixture.isSummed }
        #expect(try await fixture.wrongSums == 0)
        // A caller's wish is converted by the clock as it stands, whether that is noted or not.
        fixture.clock.step(by: -hour)
        let short = try await port.push(.message(.device("d"), expires: fixture.clock.now + minute))
        #expect(try await port.status(short) == .active)
        fixture.clock.advance(by: minute)
        #expect(try await port.status(short) == .expired)
        try await fixture.restart()
        #expect(try await fixture.port.report(kept, to: nil).expireAt == expires)
        // Without a push between them steps leave nothing behind.
        let count = try await fixture.rows("SELECT count(*) FROM clock_step")
        for _ in 0..<10 {
            fixture.clock.step(by: hour)
            _ = try await fixture.port.clockState()
        }
        #expect(try await fixture.rows("SELECT count(*) FROM clock_step") <= count + 1)
    }

    @Test("what was done while the wall clock was ahead has not aged when store time follows, although nothing was pushed then")
    func doneMeanwhile() async throws {
        let fixture = try await furnished { options in
            options.taskRetention = day
            options.sweepInterval = 1
            options.tuning.sweepPause = 1
            options.tuning.mergePause = 1
        }
        let port = fixture.port
        let delivered = try await push(fixture)
        fixture.clock.step(by: 40 * day)
        let session = try await port.connect("d")
        session.settle(try await session.read())
        #expect(try await port.status(delivered) == .completed)
        fixture.clock.advance(by: minute)
        try await eventually { try await port.clockState().ahead == nil }
        let old = try await push(fixture)
        try await port.recall(old)
        // Some sweeps go over them.
        try await eventually { fixture.store.tail.firstUnmerged == .max }
        for _ in 0..<20 {
            fixture.clock.advance(by: 2)
            try await fixture.port.makeOrg("again")
            try await fixture.port.removeOrg("again")
        }
        #expect(try await !fixture.isForgotten(delivered))
        fixture.clock.advance(by: day)
        try await eventually {
            fixture.clock.advance(by: 2)
            _ = await port.append(.message(.device("none")))
            return try await fixture.isForgotten(delivered)
        }
    }

    @Test("steps before the oldest row that is left are forgotten with the rows")
    func forgottenSteps() async throws {
        let fixture = try await furnished { options in
            options.taskRetention = 1_000
            options.sweepInterval = 1
            options.tuning.sweepPause = 1
            options.tuning.mergePause = 1
        }
        for step in [hour, -hour, hour, -hour] {
            fixture.clock.step(by: step)
            _ = try await push(fixture, expiringIn: 10)
        }
        #expect(try await fixture.rows("SELECT count(*) FROM clock_step") == 5)
        try await eventually { fixture.store.tail.firstUnmerged == .max }
        fixture.clock.advance(by: 10_000)
        let last = try await push(fixture)
        try await eventually {
            fixture.clock.advance(by: 2)
            _ = await fixture.port.append(.message(.device("none")))
            return try await fixture.rows("SELECT count(*) FROM clock_step") == 1
        }
        #expect(try await fixture.port.status(last) == .active)
    }
}
