import Push
import Testing

@testable import SQLiteStore

@Suite("The feed")
struct FeedTests {
    @Test("a loop that hangs costs bounded memory, gets a gap, and a cancel waits for its having applied it")
    func gap() async throws {
        let fixture = try await StoreFixture { $0.tuning.backlogLimit = 20_000 }
        try await fixture.app("app")
        try await fixture.org("root")
        try await fixture.device("d", in: "root")
        let stuck = TestLoop()
        let port = fixture.store.port(for: stuck)
        _ = try await port.subscribe { stuck.deliver($0) }
        stuck.suspend()
        var tasks: [TaskID] = []
        for _ in 0..<200 {
            tasks.append(try await fixture.push(.message(.organisation("root"), text: String(repeating: "x", count: 900))))
        }
        // More than the limit was not kept for it.
        let isCancelled = Shared(false)
        let (own, last) = (fixture.port, tasks[199])
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                try await own.cancel(last, by: nil)
                isCancelled.value = true
            }
            try await eventually {
                fixture.loop.takeEntries().contains { if case .ended(last, _) = $0 { true } else { false } }
            }
            _ = try await own.organisation(OrgID(unchecked: "root"))
            let isTooEarly = isCancelled.value
            #expect(!isTooEarly)
            stuck.resume()
            try await group.waitForAll()
        }
        let events = stuck.takeEvents()
        let rows = events.flatMap { event -> [Row] in
            guard case .entries(_, _, let entries) = event else { return [] }
            return entries.compactMap { if case .row(let row) = $0 { row } else { nil } }
        }
        #expect(rows.map(\.task) == Array(tasks.prefix(rows.count)))
        #expect(rows.reduce(0) { $0 + $1.payload.count } < 20_000)
        let gaps = events.compactMap { event -> Position? in
            if case .gap(_, let now, _) = event { now } else { nil }
        }
        #expect(gaps.count == 1)
        if case .gap(_, _, let snapshot) = events.last {
            #expect(snapshot.organisations.count == 1 && snapshot.apps.count == 1)
        } else {
            Issue.record("the gap is not what it learnt last")
        }
        // From then on it is told again.
        let next = try await fixture.push(.message(.organisation("root")))
        try await eventually { stuck.takeEntries().contains { if case .row(let row) = $0 { row.task == next } else { false } } }
    }

    @Test("a loop learns what comes after its snapshot, in the order of positions, and nothing twice")
    func order() async throws {
        let fixture = try await StoreFixture()
        try await fixture.app("app")
        try await fixture.org("root")
        let port = fixture.port
        async let pushes: Void = withTaskGroup(of: Void.self) { group in
            for _ in 0..<300 {
                group.addTask { _ = await port.append(.message(.organisation("root")), withinRate: true) }
            }
        }
        let loop = TestLoop()
        let late = fixture.store.port(for: loop)
        let snapshot = try await late.subscribe { loop.deliver($0) }
        await pushes
        _ = try await late.organisation(OrgID(unchecked: "root"))
        var last = snapshot.position
        var count = 0
        for event in loop.takeEvents() {
            guard case .entries(_, let upTo, let entries) = event else { throw UnexpectedAnswer(answer: "\(event)") }
            for case .row(let row) in entries {
                #expect(row.position > last && row.position <= upTo)
                last = row.position
                count += 1
            }
        }
        let before = try await port.tasks(TaskFilter(), after: nil, limit: 1_000).items.count - count
        #expect(before + count == 300)
        #expect(last.raw - snapshot.position.raw == UInt64(count))
    }

    @Test("a device's own rows reach only the loop that has its connection")
    func devices() async throws {
        let fixture = try await StoreFixture()
        try await fixture.app("app")
        try await fixture.org("root")
        try await fixture.device("d", in: "root")
        let other = TestLoop()
        let port = fixture.store.port(for: other)
        _ = try await port.subscribe { other.deliver($0) }
        let session = try await TestSession.attach("d", port)
        _ = fixture.loop.takeEvents()
        _ = other.takeEvents()
        let task = try await fixture.push(.message(.device("d")))
        try await fixture.change("d") { $0.test = true }
        #expect(fixture.loop.takeEvents().isEmpty)
        _ = try await port.organisation(OrgID(unchecked: "root"))
        let entries = other.takeEntries()
        guard entries.count == 2, case .row(let row) = entries[0], case .membership(_, let membership, let at) = entries[1] else {
            throw UnexpectedAnswer(answer: "\(entries)")
        }
        #expect(row.task == task && membership.test && at > row.position)
        session.detach()
    }
}
