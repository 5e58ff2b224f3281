import Push
import Testing

@testable import SQLiteStore

@Suite("Taking pushes")
struct AppendTests {
    @Test("50 concurrent pushes with one out_biz_no make one task")
    func oneTask() async throws {
        let fixture = try await StoreFixture()
        try await fixture.app("app")
        try await fixture.org("root")
        let port = fixture.port
        let answers = await withTaskGroup(of: Accepted.self) { group in
            for _ in 0..<50 {
                group.addTask { await port.append(.message(.organisation("root"), bizNo: "one"), withinRate: true) }
            }
            return await group.reduce(into: []) { $0.append($1) }
        }
        let stored = answers.compactMap { if case .stored(let task) = $0 { task } else { nil } }
        let task = try #require(stored.first)
        #expect(stored.count == 1)
        #expect(answers.count { $0 == .repeated(task) } == 49)
        #expect(try await port.tasks(TaskFilter(), after: nil, limit: 10).items.map(\.task) == [task])
    }

    @Test("a repeat gets the first answer whatever has become of its target, its expiry and the caller's rate, for 24 hours")
    func repeats() async throws {
        let fixture = try await StoreFixture()
        try await fixture.app("app")
        try await fixture.org("root")
        try await fixture.device("d", in: "root")
        let request = PushRequest.message(.device("d"), expires: fixture.clock.now + 10, bizNo: "b")
        let task = try await fixture.push(request)
        try await fixture.remove("d")
        fixture.clock.advance(1_000)
        #expect(await fixture.port.append(request, withinRate: false) == .repeated(task))
        let other = await fixture.port.append(.message(.device("d"), bizNo: "b", text: "other"), withinRate: true)
        #expect(other == .refused(Refusal(.outBizNoReused, field: "policy.out_biz_no")))
        try await fixture.restart()
        #expect(await fixture.port.append(request, withinRate: true) == .repeated(task))
        fixture.clock.advance(24 * 3_600_000)
        let late = await fixture.port.append(.message(.organisation("root"), bizNo: "b"), withinRate: true)
        guard case .stored = late else { throw UnexpectedAnswer(answer: "\(late)") }
    }

    @Test("a push that is refused does not touch its neighbours, nor use up its out_biz_no")
    func neighbours() async throws {
        let fixture = try await StoreFixture()
        try await fixture.app("app")
        try await fixture.org("root")
        try await fixture.device("d", in: "root", .ios)
        let port = fixture.port
        let answers = await withTaskGroup(of: (Int, Accepted).self) { group in
            for number in 0..<100 {
                let request: PushRequest =
                    switch number % 4 {
                    case 0: .message(.organisation("root"))
                    case 1: .message(.device("none"), bizNo: "b\(number)")
                    case 2: .message(.device("d"), size: 300, bizNo: "b\(number)")
                    default: .message(.organisation("root"), from: "nobody")
                    }
                group.addTask { (number, await port.append(request, withinRate: true)) }
            }
            return await group.reduce(into: [Int: Accepted]()) { $0[$1.0] = $1.1 }
        }
        for (number, answer) in answers {
            switch number % 4 {
            case 0: #expect({ if case .stored = answer { true } else { false } }())
            case 1: #expect(answer == .refused(Refusal(.noSuchDevice, field: "device_tokens")))
            case 2: #expect(answer == .refused(Refusal(.payloadTooLarge, field: "payload")))
            default: #expect(answer == .refused(Refusal(.unknownAppKey, field: "appkey")))
            }
        }
        #expect(try await fixture.pendingTasks("d").count == 25)
        try await fixture.device("none", in: "root")
        try await fixture.push(.message(.device("none"), bizNo: "b1"))
    }

    @Test("the checks come in the interface's order")
    func order() async throws {
        let fixture = try await StoreFixture()
        try await fixture.org("root")
        try await fixture.org("in", under: "root")
        try await fixture.app("app", scope: "in")
        try await fixture.device("d", in: "root", .ios, user: "u")
        let port = fixture.port
        func code(_ request: PushRequest, withinRate: Bool = true) async -> ErrorCode? {
            if case .refused(let refusal) = await port.append(request, withinRate: withinRate) { refusal.code } else { nil }
        }
        let past = fixture.clock.now
        #expect(await code(.message(.device("none"), size: 2_000, expires: past), withinRate: false) == .invalidValue)
        #expect(await code(.message(.device("none"), size: 2_000), withinRate: false) == .rateLimited)
        #expect(await code(.message(.device("none"), size: 2_000, testOnly: true)) == .noSuchDevice)
        #expect(await code(.message(.user("none"), size: 2_000)) == .userHasNoDevice)
        #expect(await code(.message(.organisation("none"), size: 2_000)) == .noSuchOrganisation)
        #expect(await code(.message(.device("d"), size: 2_000, testOnly: true)) == .targetOutsideScope)
        #expect(await code(.message(.user("u"), size: 2_000, testOnly: true)) == .targetOutsideScope)
        #expect(await code(.message(.organisation("in"), size: 2_000, testOnly: true)) == .noTestDevice)
        #expect(await code(.message(.organisation("in"), size: 2_000)) == .payloadTooLarge)
        #expect(await code(.message(.organisation("in"))) == nil)
    }

    @Test("what was told is on the disk when the store has closed")
    func close() async throws {
        let fixture = try await StoreFixture()
        try await fixture.app("app")
        try await fixture.org("root")
        try await fixture.device("d", in: "root")
        let port = fixture.port
        let session = try await fixture.attach("d")
        async let answers = withTaskGroup(of: Accepted.self) { group in
            for _ in 0..<200 { group.addTask { await port.append(.message(.organisation("root")), withinRate: true) } }
            return await group.reduce(into: []) { $0.append($1) }
        }
        try await eventually { try await port.tasks(TaskFilter(), after: nil, limit: 1).items.count == 1 }
        let rows = try await session.pending()
        session.detach(settling: rows)
        fixture.close()
        let stored = await answers.compactMap { if case .stored(let task) = $0 { task } else { nil } }
        try await fixture.restart()
        #expect(Set(try await fixture.pendingTasks("d") + rows.map(\.task)) == Set(stored))
        #expect(try await fixture.pendingTasks("d").count == stored.count - rows.count)
    }
}
