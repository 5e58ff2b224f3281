import Base
import Push
import StoreContract
import Testing

@testable import SQLiteStore

@Suite("A loop that falls behind")
struct BacklogTests {
    @Test("a loop that hangs costs bounded memory, gets a gap, and a cancel waits for its having applied it")
    func gap() async throws {
        let fixture = try await SQLiteFixture { $0.tuning.backlogLimit = 20_000 }
        try await fixture.port.makeApp("app")
        try await fixture.port.makeOrg("root")
        try await fixture.port.makeDevice("d", in: "root")
        let stuck = TestLoop()
        let port = fixture.store.port(for: stuck)
        try await stuck.follow(port)
        let own = fixture.port
        let isCancelled = Locked(false)
        var tasks: [TaskID] = []
        let cancelling = try await stuck.hanging {
            for _ in 0..<200 {
                tasks.append(try await own.push(.message(.organisation("root"), text: String(repeating: "x", count: 900))))
            }
            // More than the limit was not kept for it.
            let last = tasks[199]
            let cancelling = Task {
                try await own.recall(last)
                isCancelled.withLock { $0 = true }
            }
            try await eventually {
                fixture.loop.takeEntries().contains { if case .ended(last, _) = $0 { true } else { false } }
            }
            _ = try await own.organisation(OrgID(unchecked: "root"))
            #expect(!isCancelled.withLock { $0 })
            return cancelling
        }
        try await cancelling.value
        let events = stuck.takeEvents()
        let rows = events.flatMap(\.rows)
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
        let next = try await fixture.port.push(.message(.organisation("root")))
        try await eventually { stuck.takeEntries().contains { if case .row(let row) = $0 { row.task == next } else { false } } }
    }
}
