import Push
import StoreContract
import Testing

/// What has a lifetime is not touched by a wall clock that somebody sets, and what people see is the time of day nevertheless.
@Suite("Contract: wall clocks that jump")
struct ClockTests {
    @Test("a clock that is set back makes nothing active again", arguments: stores(.lifetimes))
    func clockSetBack(_ kind: StoreKind) async throws {
        let fixture = try await kind.furnished()
        let port = fixture.port
        let task = try await port.push(.message(.device("d1"), expires: try await fixture.now + hour))
        try await fixture.advance(by: 2 * hour)
        #expect(try await port.counts(task).parts == [.expired: 1])
        try await fixture.step(by: -2 * hour)
        #expect(try await fixture.other.counts(task).parts == [.expired: 1])
        #expect(try await port.pendingTasks("d1").isEmpty)
    }

    @Test("a clock that was ahead for a moment ends nothing, whatever happens meanwhile", arguments: stores(.lifetimes))
    func aheadForAMoment(_ kind: StoreKind) async throws {
        let fixture = try await kind.furnished()
        let port = fixture.port
        let tasks = [
            try await port.push(.message(.device("d1"))), try await port.push(.message(.organisation("east"))),
        ]
        try await fixture.step(by: 5 * day)
        #expect(try await port.counts(tasks[1]).parts == [.pending: 2])
        #expect(try await fixture.other.pendingTasks("d1") == tasks)
        let during = try await port.push(.message(.device("d1")))
        try await fixture.advance(by: 4_000)
        try await fixture.step(by: -5 * day)
        #expect(try await port.pendingTasks("d1") == tasks + [during])
        for task in tasks + [during] { #expect(try await port.status(task) == .active) }
        // What comes later is judged as ever.
        let refusal = try await port.refusal(of: .message(.device("d1"), expires: try await fixture.now - 1))
        #expect(refusal.code == .invalidValue)
        let later = try await port.push(.message(.device("d1"), expires: try await fixture.now + hour))
        #expect(try await port.pendingTasks("d1") == tasks + [during, later])
        try await fixture.advance(by: 2 * hour)
        #expect(try await port.status(later) == .expired)
        #expect(try await port.pendingTasks("d1") == tasks + [during])
    }

    @Test("a clock that is ahead for longer than tasks are kept makes none forgotten", arguments: stores(.lifetimes))
    func aheadOfRetention(_ kind: StoreKind) async throws {
        let fixture = try await kind.furnished(isSmall: true)
        let port = fixture.port
        var tasks: [TaskID] = []
        for _ in 0..<40 { tasks.append(try await port.push(.message(.device("d1")))) }
        try await fixture.step(by: 40 * day)
        // It looks for what is old when something happens, and this is a lot.
        for _ in 0..<200 { try await port.push(.message(.device("d3"))) }
        try await fixture.step(by: -40 * day)
        try await port.push(.message(.device("d3")))
        #expect(try await port.pendingTasks("d1") == tasks)
        for task in tasks { #expect(try await port.status(task) == .active) }
    }

    @Test("an out_biz_no is known for a day of the store's, wherever the clock was", arguments: stores(.lifetimes))
    func idempotency(_ kind: StoreKind) async throws {
        let fixture = try await kind.furnished()
        let request = PushRequest.message(.organisation("root"), bizNo: "b")
        let task = try await fixture.port.push(request)
        try await fixture.step(by: 25 * hour)
        #expect(await fixture.other.append(request) == .repeated(task))
        let ahead = PushRequest.message(.organisation("root"), bizNo: "ahead")
        let second = try await fixture.port.push(ahead)
        try await fixture.step(by: -25 * hour)
        #expect(await fixture.other.append(request) == .repeated(task))
        #expect(await fixture.other.append(ahead) == .repeated(second))
        try await fixture.advance(by: day + 1)
        #expect(try await fixture.port.push(request) != task)
        #expect(try await fixture.port.push(ahead) != second)
    }

    @Test("a wish is converted once: it lasts as long as it did when it came", arguments: stores(.lifetimes))
    func wish(_ kind: StoreKind) async throws {
        let fixture = try await kind.furnished()
        let port = fixture.port
        for step in [3 * day, -3 * day, -hour, hour] {
            try await fixture.step(by: step)
            let (created, wish) = (try await fixture.now, try await fixture.now + hour)
            let task = try await port.push(.message(.device("d1"), expires: wish))
            let lasting = try await port.push(.message(.device("d1")))
            try await fixture.step(by: -step)
            try await fixture.advance(by: hour - 1)
            #expect(try await port.pendingTasks("d1").suffix(2) == [task, lasting])
            try await fixture.advance(by: 1)
            #expect(try await port.pendingTasks("d1").last == lasting)
            // Its caller sees what it asked for.
            let report = try await fixture.other.report(task, to: nil)
            #expect(report.createdAt == created && report.expireAt == wish && report.status == .expired)
            #expect(try await port.report(lasting, to: nil).expireAt == created + 3 * day)
            let session = try await port.connect("d1")
            session.disconnect(settling: try await session.read())
        }
    }

    @Test("lists and sums are by the time that people see, over steps of the clock", arguments: stores(.lifetimes))
    func lists(_ kind: StoreKind) async throws {
        let fixture = try await kind.furnished()
        let port = fixture.port
        var known: [(task: TaskID, created: Int64)] = []
        for step in [0, 5 * day, -5 * day, -2 * hour, 90 * 60_000, 40 * day, -40 * day] as [Int64] {
            try await fixture.step(by: step)
            for _ in 0..<3 {
                try await fixture.advance(by: 20 * 60_000)
                let created = try await fixture.now
                known.append((try await port.push(.message(.organisation("east"), tag: "t")), created))
            }
        }
        let times = known.map(\.created)
        for from in [nil] + times.map(Optional.init) {
            for to in [nil] + times.map(Optional.init) {
                let wanted = known.filter { $0.created >= from ?? .min && $0.created < to ?? .max }.map(\.task)
                let listed = try await port.all { after throws(StoreError) in
                    try await port.tasks(TaskFilter(from: from, to: to), after: after, limit: 2)
                }
                #expect(listed.map(\.task) == wanted.reversed())
                let sum = try await fixture.other.totals(app: AppKey(unchecked: "app"), tag: "t", from: from, to: to)
                #expect(sum.tasks == wanted.count)
            }
        }
        for (task, created) in known { #expect(try await port.report(task, to: nil).createdAt == created) }
    }

    @Test("a device sees when a task was created, the same whenever it gets it", arguments: stores(.lifetimes, .payloads))
    func sentAt(_ kind: StoreKind) async throws {
        let fixture = try await kind.furnished()
        let port = fixture.port
        try await fixture.step(by: 5 * day)
        let created = try await fixture.now
        let early = try await port.connect("d1")
        _ = fixture.loop.takeEvents()
        try await port.push(.message(.device("d1")))
        try await fixture.loop.waitForEntry("the row") { if case .row = $0 { true } else { false } }
        let live = fixture.loop.takeEvents().flatMap(\.rows)
        try await fixture.step(by: -5 * day)
        let read = try await early.read()
        #expect(live.map(\.payload) == read.map(\.payload))
        #expect(String(decoding: read[0].payload, as: UTF8.self).hasSuffix(#""sent_at":\#(created)}"#))
        early.disconnect()
    }

    @Test("when a device was seen last is a time of day", arguments: stores(.lastSeen))
    func lastSeen(_ kind: StoreKind) async throws {
        let fixture = try await kind.furnished()
        try await fixture.step(by: 5 * day)
        let now = try await fixture.now
        let session = try await fixture.port.connect("d1")
        #expect(try await fixture.port.device(DeviceToken(unchecked: "d1")).lastSeen == now)
        session.disconnect()
    }
}
