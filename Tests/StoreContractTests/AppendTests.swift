import Push
import StoreContract
import Testing

@Suite("Contract: taking pushes")
struct AppendTests {
    @Test("pushes to a device, a user and an organisation reach exactly theirs, oldest first", arguments: stores())
    func targets(_ kind: StoreKind) async throws {
        let fixture = try await kind.furnished()
        let (port, other) = (fixture.port, fixture.other)
        let first = try await port.push(.message(.device("d1")))
        let second = try await other.push(.message(.user("u1")))
        let third = try await port.push(.message(.organisation("root")))
        let fourth = try await other.push(.message(.organisation("west"), testOnly: true))
        #expect(try await port.pendingTasks("d1") == [first, second, third])
        #expect(try await other.pendingTasks("d2") == [second, third])
        #expect(try await port.pendingTasks("d3") == [third, fourth])
        for (task, count) in [(first, 1), (second, 2), (third, 3), (fourth, 1)] {
            let counts = try await other.counts(task)
            #expect(counts.targeted == count && counts.parts == [.pending: count])
        }
    }

    @Test("a report says what was pushed", arguments: stores())
    func report(_ kind: StoreKind) async throws {
        let fixture = try await kind.furnished()
        let before = try await fixture.now
        let expires = before + 2 * day
        let request = PushRequest.message(
            .user("u1"), testOnly: false, tag: "t", description: "why", expires: expires, text: "news")
        let task = try await fixture.port.push(request)
        let report = try await fixture.other.report(task, to: AppKey(unchecked: "app"))
        #expect(report.task == task && report.app.text == "app" && report.interface == .message)
        #expect(report.target == .user("u1") && report.payload == request.payload.bytes && !report.testOnly)
        #expect(report.description == "why" && report.tag == "t" && report.expireAt == expires)
        #expect(report.status == .active)
        let after = try await fixture.now
        #expect((before...after).contains(report.createdAt))
        #expect(task.text.utf8.count <= 32)
    }

    @Test("a message expires after three days unless it says otherwise, a configuration never", arguments: stores())
    func defaultExpiry(_ kind: StoreKind) async throws {
        let fixture = try await kind.furnished()
        let message = try await fixture.port.report(try await fixture.port.push(.message(.device("d1"))), to: nil)
        #expect(message.expireAt == message.createdAt + 3 * day)
        let configuration = try await fixture.port.push(.configuration(.device("d1")))
        #expect(try await fixture.port.report(configuration, to: nil).expireAt == nil)
        let now = try await fixture.now
        for expires in [now, now - hour, now + 8 * day] {
            #expect(try await fixture.port.refusal(of: .message(.device("d1"), expires: expires)).code == .invalidValue)
        }
    }

    @Test("50 concurrent pushes with one out_biz_no, by both ports, make one task", arguments: stores())
    func oneTask(_ kind: StoreKind) async throws {
        let fixture = try await kind.furnished()
        let ports = [fixture.port, fixture.other]
        let answers = await withTaskGroup(of: Accepted.self) { group in
            for number in 0..<50 {
                group.addTask { await ports[number % 2].append(.message(.organisation("root"), bizNo: "one")) }
            }
            return await group.reduce(into: []) { $0.append($1) }
        }
        let stored = answers.compactMap(\.storedTask)
        let task = try #require(stored.first)
        #expect(stored.count == 1)
        #expect(answers.count { $0 == .repeated(task) } == 49)
        #expect(try await fixture.port.tasks(TaskFilter(), after: nil, limit: 10).items.map(\.task) == [task])
    }

    @Test("an out_biz_no is one app's, and stands for one interface and one body", arguments: stores())
    func whoseNumber(_ kind: StoreKind) async throws {
        let fixture = try await kind.furnished()
        try await fixture.port.makeApp("second")
        let task = try await fixture.port.push(.message(.organisation("root"), bizNo: "b"))
        let others = try await fixture.other.push(.message(.organisation("root"), from: "second", bizNo: "b"))
        #expect(others != task)
        let reused = Refusal(.outBizNoReused, field: "policy.out_biz_no")
        #expect(try await fixture.other.refusal(of: .message(.organisation("root"), bizNo: "b", text: "other")) == reused)
        #expect(try await fixture.other.refusal(of: .configuration(.organisation("root"), bizNo: "b")) == reused)
        let request = PushRequest.message(.organisation("root"), bizNo: "b")
        #expect(await fixture.other.append(request) == .repeated(task))
    }

    @Test(
        "a repeat gets the first answer whatever has become of its target, its expiry and the caller's rate", arguments: stores())
    func repeats(_ kind: StoreKind) async throws {
        let fixture = try await kind.furnished()
        let request = PushRequest.message(.device("d1"), expires: try await fixture.now + hour, bizNo: "b")
        let task = try await fixture.port.push(request)
        try await fixture.port.removeDevice("d1")
        // It has pushed what it may.
        try await fixture.port.changeApp("app") { $0.perDay = .set(1) }
        try await fixture.advance(by: 2 * hour)
        #expect(await fixture.port.append(request) == .repeated(task))
        #expect(await fixture.other.append(request) == .repeated(task))
        // What comes before in the order of the checks still does.
        try await fixture.port.changeApp("app") { $0.disabled = true }
        #expect(try await fixture.port.refusal(of: request).code == .appDisabled)
    }

    @Test("a push that is refused does not touch its neighbours, nor use up its out_biz_no", arguments: stores())
    func neighbours(_ kind: StoreKind) async throws {
        let fixture = try await kind.furnished()
        let ports = [fixture.port, fixture.other]
        let answers = await withTaskGroup(of: (Int, Accepted).self) { group in
            for number in 0..<100 {
                let request: PushRequest =
                    switch number % 4 {
                    case 0: .message(.organisation("root"))
                    case 1: .message(.device("none"), bizNo: "b\(number)")
                    case 2: .message(.device("d2"), size: 300, bizNo: "b\(number)")
                    default: .message(.organisation("root"), from: "nobody")
                    }
                group.addTask { (number, await ports[number / 4 % 2].append(request)) }
            }
            return await group.reduce(into: [Int: Accepted]()) { $0[$1.0] = $1.1 }
        }
        for (number, answer) in answers {
            switch number % 4 {
            case 0: #expect(answer.storedTask != nil)
            case 1: #expect(answer == .refused(Refusal(.noSuchDevice, field: "device_tokens")))
            case 2: #expect(answer == .refused(Refusal(.payloadTooLarge, field: "payload")))
            default: #expect(answer == .refused(Refusal(.unknownAppKey, field: "appkey")))
            }
        }
        #expect(try await fixture.port.pendingTasks("d2").count == 25)
        try await fixture.port.makeDevice("none", in: "root")
        try await fixture.port.push(.message(.device("none"), bizNo: "b1"))
    }

    @Test("the checks come in the interface's order", arguments: stores(.scopes))
    func order(_ kind: StoreKind) async throws {
        let fixture = try await kind.open()
        let port = fixture.port
        try await port.makeOrg("root")
        try await port.makeOrg("in", under: "root")
        try await port.makeApp("app", scope: "in")
        try await port.makeDevice("d", in: "root", .ios, user: "u")
        let past = try await fixture.now
        func code(_ request: PushRequest) async throws -> ErrorCode { try await port.refusal(of: request).code }
        // What is refused for its target has taken what was left of the second.
        try await port.changeApp("app") { $0.perSecond = .set(1) }
        #expect(try await code(.message(.device("none"))) == .noSuchDevice)
        #expect(try await code(.message(.device("none"), from: "none", expires: past)) == .unknownAppKey)
        #expect(try await code(.message(.device("none"), size: 2_000, expires: past)) == .invalidValue)
        #expect(try await code(.message(.device("none"), size: 2_000)) == .rateLimited)
        try await port.changeApp("app") { $0.perSecond = .clear }
        #expect(try await code(.message(.device("none"), size: 2_000, testOnly: true)) == .noSuchDevice)
        #expect(try await code(.message(.user("none"), size: 2_000)) == .userHasNoDevice)
        #expect(try await code(.message(.organisation("none"), size: 2_000)) == .noSuchOrganisation)
        #expect(try await code(.message(.device("d"), size: 2_000, testOnly: true)) == .targetOutsideScope)
        #expect(try await code(.message(.user("u"), size: 2_000, testOnly: true)) == .targetOutsideScope)
        #expect(try await code(.message(.organisation("root"), size: 2_000, testOnly: true)) == .targetOutsideScope)
        #expect(try await code(.message(.organisation("in"), size: 2_000, testOnly: true)) == .noTestDevice)
        #expect(try await code(.message(.organisation("in"), size: 2_000)) == .payloadTooLarge)
        try await port.push(.message(.organisation("in")))
    }

    @Test("an app may do what it was allowed, from the moment of the change", arguments: stores())
    func apps(_ kind: StoreKind) async throws {
        let fixture = try await kind.furnished()
        try await fixture.port.changeApp("app") { $0.interfaces = [.configuration] }
        #expect(try await fixture.other.refusal(of: .message(.device("d1"))) == Refusal(.interfaceNotAllowed, field: "appkey"))
        try await fixture.other.push(.configuration(.device("d1")))
        try await fixture.other.changeApp("app") { $0.disabled = true }
        #expect(try await fixture.port.refusal(of: .configuration(.device("d1"))) == Refusal(.appDisabled, field: "appkey"))
        try await fixture.port.changeApp("app") { $0.disabled = false }
        try await fixture.other.push(.configuration(.device("d1")))
    }

    @Test("a user push by an app with a scope takes the user's devices inside it", arguments: stores(.scopes))
    func userInScope(_ kind: StoreKind) async throws {
        let fixture = try await kind.furnished()
        try await fixture.port.makeApp("part", scope: "west")
        #expect(
            try await fixture.port.refusal(of: .message(.user("u1"), from: "part"))
                == Refusal(.targetOutsideScope, field: "user_id"))
        try await fixture.port.makeDevice("d4", in: "west", user: "u1")
        let task = try await fixture.port.push(.message(.user("u1"), from: "part"))
        #expect(try await fixture.port.counts(task).targeted == 1)
        #expect(try await fixture.port.pendingTasks("d4") == [task])
        #expect(try await fixture.port.pendingTasks("d1").isEmpty)
    }

    @Test(
        "iOS devices whose limit a payload breaks are left out and counted; a push that no device takes is refused",
        arguments: stores())
    func sizes(_ kind: StoreKind) async throws {
        let fixture = try await kind.furnished()
        let port = fixture.port
        let tooLarge = Refusal(.payloadTooLarge, field: "payload")
        for target in [PushRequest.Target.organisation("root"), .user("u1")] {
            let task = try await port.push(.message(target, size: 257))
            #expect(try await port.counts(task).skippedOversize == 1)
            #expect(try await port.recipients(task, .skippedOversize) == ["d2"])
            #expect(try await port.refusal(of: .message(target, size: 1_025)) == tooLarge)
            try await port.push(.message(target, size: 1_024))
        }
        #expect(try await port.pendingTasks("d2").isEmpty)
        #expect(try await port.pendingTasks("d1").count == 4)
        #expect(try await port.refusal(of: .message(.device("d2"), size: 257)) == tooLarge)
        try await port.push(.message(.device("d2"), size: 256))
        try await port.makeOrg("ios", under: "root")
        try await port.makeDevice("d4", in: "ios", .ios)
        #expect(try await port.refusal(of: .message(.organisation("ios"), size: 257)) == tooLarge)
    }

    @Test("an organisation without devices is a target like any other, but not in test mode", arguments: stores())
    func nobody(_ kind: StoreKind) async throws {
        let fixture = try await kind.furnished()
        let port = fixture.port
        try await port.makeOrg("empty")
        let task = try await port.push(.message(.organisation("empty"), size: 300))
        let report = try await port.report(task, to: nil)
        #expect(report.counts == Counts() && report.status == .completed)
        #expect(try await port.refusal(of: .message(.organisation("empty"), testOnly: true)).code == .noTestDevice)
        #expect(try await port.refusal(of: .message(.device("d1"), testOnly: true)).code == .noTestDevice)
        #expect(try await port.refusal(of: .message(.user("u1"), testOnly: true)).code == .noTestDevice)
    }

    @Test("what devices receive is the interface's JSON, the same by the feed and by a page", arguments: stores(.payloads))
    func payload(_ kind: StoreKind) async throws {
        let fixture = try await kind.furnished()
        let session = try await fixture.port.connect("d1")
        _ = fixture.loop.takeEvents()
        let task = try await fixture.port.push(.message(.organisation("root"), tag: "a \"b\"", text: "1.10"))
        try await fixture.loop.waitForRow(of: task)
        let told = try #require(fixture.loop.takeEvents().flatMap(\.rows).first)
        let page = try #require(try await session.read().first)
        let sentAt = try await fixture.port.report(task, to: nil).createdAt
        let json =
            #"{"task_id":"\#(task)","appkey":"app","display_type":"notification","body":{"title":"1.10"},"tag":"a \"b\"","#
            + #""sent_at":\#(sentAt)}"#
        #expect(String(decoding: told.payload, as: UTF8.self) == json)
        #expect(told.payload == page.payload)
        #expect(told.position == page.position && told.topic == .message && page.topic == .message)
        #expect(told.target == page.target && told.audience == page.audience && told.expires == page.expires)
    }

    @Test("only test devices receive what is pushed in test mode, also those of a user", arguments: stores())
    func testMode(_ kind: StoreKind) async throws {
        let fixture = try await kind.furnished()
        let port = fixture.port
        try await port.makeDevice("d4", in: "east", user: "u1", test: true)
        let tasks = [
            try await port.push(.message(.organisation("root"), testOnly: true)),
            try await port.push(.message(.user("u1"), testOnly: true)),
        ]
        #expect(try await port.counts(tasks[0]).targeted == 2)
        #expect(try await port.counts(tasks[1]).targeted == 1)
        #expect(try await port.pendingTasks("d4") == tasks)
        #expect(try await port.pendingTasks("d3") == [tasks[0]])
        #expect(try await port.pendingTasks("d1").isEmpty)
    }
}
