import Push
import StoreContract
import Testing

@testable import SQLiteStore

/// What is forgotten some time after it ended, and what is kept for it.
@Suite("Retention")
struct RetentionTests {
    @Test("what ended long ago is forgotten with all that belongs to it; a current configuration never is")
    func retention() async throws {
        let fixture = try await SQLiteFixture { options in
            options.taskRetention = 1_000_000
            options.sweepInterval = 10
            options.tuning.sweepPause = 1
            options.tuning.mergeThreshold = 10
            options.tuning.mergePause = 1
        }
        try await fixture.port.makeApp("app")
        try await fixture.port.makeOrg("root")
        try await fixture.port.makeOrg("other")
        try await fixture.port.makeDevice("d", in: "root", user: "u")
        try await fixture.port.makeDevice("e", in: "root")
        let config = try await fixture.port.push(.configuration(.organisation("root")))
        let superseded = try await fixture.port.push(.configuration(.organisation("other")))
        try await fixture.port.push(.configuration(.organisation("other")))
        let message = try await fixture.port.push(
            .message(.organisation("root"), tag: "t", expires: fixture.clock.now + 10, bizNo: "b"))
        let waiting = try await fixture.port.push(.message(.user("u")))
        let session = try await fixture.port.connect("d")
        session.disconnect(settling: try await session.read())
        _ = try await fixture.port.commit([Receipt(device: session.device, task: message, event: .opened, detail: "x")])
        for org in ["other", "root", "other", "root"] {
            try await fixture.port.change("e") { $0.organisation = OrgID(unchecked: org) }
        }
        try await fixture.port.removeDevice("e")
        for _ in 0..<250 { try await fixture.port.push(.message(.organisation("root"), expires: fixture.clock.now + 5)) }

        fixture.clock.advance(by: 1_000_000 + 100)
        for task in [superseded, message, waiting] {
            try await eventually {
                _ = await fixture.port.append(.message(.device("none")))
                return try await fixture.isForgotten(task)
            }
        }
        try await eventually {
            // The sweep leaves what is in the tail only to the next one.
            fixture.clock.advance(by: 20)
            _ = await fixture.port.append(.message(.device("none")))
            return try await fixture.rows("SELECT count(*) FROM message") == 2
        }
        #expect(try await fixture.port.counts(config).delivered == 1)
        #expect(try await fixture.rows("SELECT count(*) FROM biz_index") == 0)
        #expect(try await fixture.rows("SELECT count(*) FROM tag_index") == 0)
        #expect(try await fixture.rows("SELECT count(*) FROM event") == 0)
        #expect(try await fixture.rows("SELECT count(*) FROM counter WHERE seq NOT IN (SELECT seq FROM message)") == 0)
        #expect(try await fixture.rows("SELECT count(*) FROM receipt WHERE seq NOT IN (SELECT seq FROM message)") == 0)
        #expect(try await fixture.rows("SELECT count(*) FROM target_index WHERE seq NOT IN (SELECT seq FROM message)") == 0)
        // The current configuration is still given to those that join, and the number of a holder is not used again.
        try await fixture.port.makeDevice("f", in: "root")
        #expect(try await fixture.port.pendingTasks("f") == [config])
        #expect(try await fixture.port.counts(config).targeted == 3)
        await #expect(throws: StoreError.self) { _ = try await fixture.port.report(message, to: nil) }
    }

    @Test("intervals and holders that no task refers to are forgotten, and their numbers are not used again")
    func retentionOfIntervals() async throws {
        let fixture = try await SQLiteFixture { options in
            options.taskRetention = 1_000
            options.sweepInterval = 1
            options.tuning.sweepPause = 1
            options.tuning.mergePause = 1
        }
        try await fixture.port.makeApp("app")
        try await fixture.port.makeOrg("root")
        try await fixture.port.makeOrg("other")
        for number in 0..<300 { try await fixture.port.makeDevice("d\(number)", in: "root") }
        for number in 0..<300 {
            try await fixture.port.change("d\(number)") {
                $0.organisation = OrgID(unchecked: "other")
                $0.test = true
            }
            try await fixture.port.change("d\(number)") { $0.test = false }
        }
        for number in 0..<300 { try await fixture.port.removeDevice("d\(number)") }
        try await fixture.port.push(.message(.organisation("root")))
        // It is merged before it is old.
        try await eventually { fixture.store.tail.firstUnmerged == .max }
        fixture.clock.advance(by: 5_000)
        try await eventually {
            _ = await fixture.port.append(.message(.device("none")))
            return try await fixture.rows("SELECT count(*) FROM device") == 0
        }
        #expect(try await fixture.rows("SELECT count(*) FROM past_org") == 0)
        #expect(try await fixture.rows("SELECT count(*) FROM past_test") == 0)
        try await fixture.restart()
        try await fixture.port.makeDevice("new", in: "root")
        let session = try await fixture.port.connect("new")
        #expect(session.device.ordinal == 301)
        session.disconnect()
    }

    @Test("a current configuration keeps the past of those that it addressed, and of nobody else")
    func besideCurrentConfiguration() async throws {
        let fixture = try await SQLiteFixture { options in
            options.taskRetention = 1_000
            options.sweepInterval = 1
            options.tuning.sweepPause = 1
            options.tuning.mergePause = 1
        }
        let port = fixture.port
        try await port.makeApp("app")
        for org in ["root", "other", "gone"] { try await port.makeOrg(org) }
        try await port.makeDevice("old", in: "root", user: "old")
        let config = try await port.push(.configuration(.organisation("root")))
        try await port.makeDevice("joined", in: "root", user: "joined")
        let session = try await port.connect("joined")
        session.disconnect(settling: try await session.read())
        for number in 0..<20 {
            try await port.makeDevice("d\(number)", in: "root", user: "u\(number)")
            try await port.change("d\(number)") {
                $0.organisation = OrgID(unchecked: "other")
                $0.test = true
            }
            try await port.change("d\(number)") { $0.test = false }
        }
        try await port.move("old", to: "other")
        try await port.moveOrg("gone", under: "other")
        for token in (0..<20).map({ "d\($0)" }) + ["old", "joined"] { try await port.removeDevice(token) }
        try await port.removeOrg("gone")
        try await age(fixture) { try await fixture.rows("SELECT count(*) FROM device") <= 1 }

        #expect(try await fixture.rows("SELECT count(*) FROM past_org") == 1)
        #expect(try await fixture.rows("SELECT count(*) FROM past_test") == 0)
        #expect(try await fixture.rows("SELECT count(*) FROM beyond") == 0)
        #expect(try await fixture.rows("SELECT count(*) FROM holder WHERE user_id <> 'old'") == 0)
        // Those of "gone" that the configuration lies in are left, and so is "gone".
        #expect(try await fixture.rows("SELECT count(*) FROM org_parent WHERE to_seq < 9223372036854775807") == 1)
        // Whoever joined it later, and is gone for long, is still counted and no longer listed.
        let counts = try await port.counts(config)
        #expect(counts.targeted == 22 && counts.delivered == 1 && counts.withdrawn == 21)
        #expect(try await port.recipients(config, .withdrawn) == ["old"])
        #expect(try await port.recipients(config, .delivered) == [])

        // When it has ended long ago there is nothing left.
        _ = try await port.recall(config)
        try await age(fixture) { try await fixture.rows("SELECT count(*) FROM device") == 0 }
        for table: StaticString in [
            "SELECT count(*) FROM past_org", "SELECT count(*) FROM holder", "SELECT count(*) FROM org WHERE removed = 1",
            "SELECT count(*) FROM org_parent WHERE to_seq < 9223372036854775807",
        ] { #expect(try await fixture.rows(table) == 0, "\(table)") }
        // No number of theirs is used again.
        try await fixture.restart()
        try await fixture.port.makeOrg("new")
        try await fixture.port.makeDevice("new", in: "new", user: "new")
        #expect(try await fixture.rows("SELECT max(org) FROM org") == 4)
        #expect(try await fixture.rows("SELECT max(user) FROM holder") == 23)
        #expect(try await fixture.rows("SELECT max(ordinal) FROM device") == 23)
    }

    /// Lets everything grow old, and sweeps until it is so.
    private func age(_ fixture: SQLiteFixture, until isSo: () async throws -> Bool) async throws {
        // Old is what lies before a row that is old, which is merged by then.
        try await fixture.port.push(.message(.organisation("root"), expires: fixture.clock.now + 100))
        try await eventually { fixture.store.tail.firstUnmerged == .max }
        fixture.clock.advance(by: 5_000)
        try await eventually {
            _ = await fixture.port.append(.message(.device("none")))
            return try await isSo()
        }
    }
}
