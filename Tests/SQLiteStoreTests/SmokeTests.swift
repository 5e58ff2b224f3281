import Push
import Testing

@testable import SQLiteStore

@Suite("The store, once through")
struct SmokeTests {
    private func furnished() async throws -> StoreFixture {
        let fixture = try await StoreFixture()
        try await fixture.app("app")
        try await fixture.org("root")
        try await fixture.org("east", under: "root")
        try await fixture.org("west", under: "root")
        try await fixture.device("d1", in: "east", user: "u1")
        try await fixture.device("d2", in: "east", .ios, user: "u1")
        try await fixture.device("d3", in: "west", test: true)
        return fixture
    }

    @Test("pushes to a device, a user and an organisation reach exactly theirs, oldest first")
    func targets() async throws {
        let fixture = try await furnished()
        let first = try await fixture.push(.message(.device("d1")))
        let second = try await fixture.push(.message(.user("u1")))
        let third = try await fixture.push(.message(.organisation("root")))
        let fourth = try await fixture.push(.message(.organisation("west"), testOnly: true))
        #expect(try await fixture.pendingTasks("d1") == [first, second, third])
        #expect(try await fixture.pendingTasks("d2") == [second, third])
        #expect(try await fixture.pendingTasks("d3") == [third, fourth])
        let counts = try await fixture.counts(third)
        #expect(counts.targeted == 3 && counts.pending == 3)
    }

    @Test("what was acknowledged is counted, listed and not sent again, also after a restart")
    func acknowledged() async throws {
        let fixture = try await furnished()
        let first = try await fixture.push(.message(.organisation("root"), tag: "t"))
        let second = try await fixture.push(.message(.organisation("root"), tag: "t"))
        let session = try await fixture.attach("d1")
        let rows = try await session.pending()
        #expect(rows.map(\.task) == [first, second])
        session.settle([rows[1]])
        session.detach()
        try await fixture.restart()
        #expect(try await fixture.pendingTasks("d1") == [first])
        #expect(try await fixture.counts(first).delivered == 0)
        #expect(try await fixture.counts(second).delivered == 1)
        #expect(try await fixture.recipients(second, .delivered) == ["d1"])
        #expect(try await fixture.recipients(second, .pending) == ["d2", "d3"])
        let totals = try await fixture.port.totals(app: AppKey(unchecked: "app"), tag: "t", from: nil, to: nil)
        #expect(totals.tasks == 2 && totals.counts.targeted == 6 && totals.counts.delivered == 1)
        let tasks = try await fixture.port.tasks(TaskFilter(), after: nil, limit: 10)
        #expect(tasks.items.map(\.task) == [second, first] && tasks.next == nil)
    }

    @Test("a connected device's row comes by the feed, and a cancelled task is told to have ended")
    func feed() async throws {
        let fixture = try await furnished()
        let session = try await fixture.attach("d1")
        _ = fixture.loop.takeEntries()
        let task = try await fixture.push(.message(.device("d1")))
        try await fixture.push(.message(.device("d2")))
        try await fixture.port.cancel(task, by: AppKey(unchecked: "app"))
        let entries = fixture.loop.takeEntries()
        let told = entries.map { entry -> String in
            switch entry {
            case .row(let row): "row \(row.task)"
            case .ended(let task, _): "ended \(task)"
            default: "\(entry)"
            }
        }
        #expect(told == ["row \(task)", "ended \(task)"])
        #expect(try await fixture.counts(task).cancelled == 1)
        #expect(try await session.pending().isEmpty)
        session.detach()
    }

    @Test("a configuration supersedes the older one, and a device that joins receives the current one")
    func configurations() async throws {
        let fixture = try await furnished()
        let older = try await fixture.push(.configuration(.organisation("east")))
        let newer = try await fixture.push(.configuration(.organisation("east")))
        #expect(try await fixture.port.report(older, to: nil).status == .superseded)
        #expect(try await fixture.pendingTasks("d1") == [newer])
        #expect(try await fixture.pendingTasks("d3").isEmpty)
        try await fixture.change("d3") { $0.organisation = OrgID(unchecked: "east") }
        #expect(try await fixture.pendingTasks("d3") == [newer])
        #expect(try await fixture.counts(newer).targeted == 3)
        #expect(Set(try await fixture.recipients(newer, .pending)) == ["d1", "d2", "d3"])
    }

    @Test("a device with a new holder gets nothing of the old one's, and the connection is closed")
    func holder() async throws {
        let fixture = try await furnished()
        let task = try await fixture.push(.message(.user("u1")))
        let session = try await fixture.attach("d1")
        _ = fixture.loop.takeEntries()
        try await fixture.change("d1") { $0.user = .set(UserID(unchecked: "u2")) }
        let isClosed = fixture.loop.takeEntries().contains { entry in
            if case .close(_, session.session, .withdrawn) = entry { true } else { false }
        }
        #expect(isClosed)
        session.detach()
        #expect(try await fixture.pendingTasks("d1").isEmpty)
        let counts = try await fixture.counts(task)
        #expect(counts.targeted == 2 && counts.withdrawn == 1 && counts.pending == 1)
    }

    @Test("a second connection takes over when the first has settled")
    func takeover() async throws {
        let fixture = try await furnished()
        let task = try await fixture.push(.message(.device("d1")))
        let first = try await fixture.attach("d1")
        let rows = try await first.pending()
        let (port, session) = (fixture.port, SessionID(raw: 4_711))
        async let second = port.attach(DeviceToken(unchecked: "d1"), secret: Array("secret".utf8), session: session)
        try await eventually {
            fixture.loop.takeEntries().contains { if case .close(_, _, .takenOver) = $0 { true } else { false } }
        }
        first.detach(settling: rows)
        let attached = try await second
        #expect(attached.settledUpTo >= rows[0].position || attached.settledBeyond == [rows[0].position])
        #expect(try await fixture.counts(task).delivered == 1)
    }

    @Test("wrong secrets, unknown devices and unknown targets are refused")
    func refusals() async throws {
        let fixture = try await furnished()
        let session = SessionID(raw: 1)
        await #expect(throws: AttachError.wrongSecret) {
            _ = try await fixture.port.attach(DeviceToken(unchecked: "d1"), secret: [1], session: session)
        }
        await #expect(throws: AttachError.unknownDevice) {
            _ = try await fixture.port.attach(DeviceToken(unchecked: "no"), secret: [1], session: session)
        }
        let accepted = await fixture.port.append(.message(.device("no")), withinRate: true)
        #expect(accepted == .refused(Refusal(.noSuchDevice, field: "device_tokens")))
    }
}
