import Base
import Push
import StoreContract
import Testing

/// What operators push on behalf of apps, and what they are told that a push would do.
@Suite("Contract: pushes by operators")
struct OperatorPushTests {
    private let east = OrgID(unchecked: "east")

    private func refused(_ code: ErrorCode, _ field: String?) -> Accepted { .refused(Refusal(code, field: field)) }

    /// A furnished store with `inner` below east, a user u2 in west and u3 in both, and apps with a scope; and a sender in east.
    private func fixture(_ kind: StoreKind) async throws -> (ContractFixture, OperatorCall) {
        let fixture = try await kind.furnished()
        let port = fixture.port
        try await port.makeOrg("inner", under: "east")
        try await port.makeDevice("d4", in: "inner")
        try await port.makeDevice("d5", in: "west", user: "u2")
        try await port.makeDevice("d6", in: "west", user: "u3")
        try await port.makeDevice("d7", in: "east", user: "u3")
        for scope in ["root", "east", "inner", "west"] { try await port.makeApp("app-\(scope)", scope: scope) }
        return (fixture, try await fixture.makeOperator("ann", .sender, in: "east"))
    }

    private func message(_ target: PushRequest.Target, as app: String = "app", bizNo: ExactText? = nil) -> PushRequest {
        .message(target, from: app, bizNo: bizNo)
    }

    @Test("a push by an operator is the app's task, names the operator, and has its entry", arguments: stores(.operators))
    func pushing(_ kind: StoreKind) async throws {
        let (fixture, ann) = try await fixture(kind)
        let port = fixture.port
        let call = OperatorCall(ann.caller, client: IPAddress("192.0.2.7"), requestID: "r-1")
        let request = message(.organisation("east"), bizNo: "7")
        guard case .stored(let task) = await port.append(request, by: call) else { throw UnexpectedAnswer("not stored") }
        #expect(try await port.pendingTasks("d4") == [task])
        #expect(try await port.report(task, to: AppKey(unchecked: "app")).origin == nil)
        let report = try await port.report(task, to: nil, within: east)
        #expect(report.origin == PushRequest.Origin(client: call.client, requestID: "r-1", operator: call.name))
        // The app's own repeat, and the operator's.
        #expect(await port.append(request) == .repeated(task))
        #expect(await port.append(request, by: call) == .repeated(task))
        #expect(
            await port.append(.message(.device("d1"), bizNo: "7", text: "other"), by: call)
                == refused(.outBizNoReused, "policy.out_biz_no"))
        let entries = try await port.audit(AuditFilter(), after: nil, limit: 3, by: ann).items.map(\.entry)
        #expect(entries.map(\.action) == [.push, .push, .push])
        #expect(entries.map(\.code) == [2109, 0, 0])
        #expect(entries.map(\.task) == [nil, task.text, task.text])
        #expect(entries[2].target == AuditTarget(.organisation, "east"))
    }

    @Test("the app's rules hold for its operators: disabled, interfaces, quota, scope", arguments: stores(.operators, .quotas))
    func rules(_ kind: StoreKind) async throws {
        let (fixture, ann) = try await fixture(kind)
        let port = fixture.port
        #expect(await port.append(message(.device("d1"), as: "nothing"), by: ann) == refused(.noSuchApp, "appkey"))
        #expect(
            await port.append(message(.device("d1"), as: "app-inner"), by: ann) == refused(.targetOutsideScope, "device_tokens"))
        try await port.changeApp("app") { $0.interfaces = [.configuration] }
        #expect(await port.append(message(.device("d1")), by: ann) == refused(.interfaceNotAllowed, "appkey"))
        try await port.changeApp("app") { ($0.interfaces, $0.perDay) = ([.message], .set(1)) }
        // What is only asked takes nothing.
        for _ in 0..<3 { _ = try await port.preview(message(.device("d1")), by: ann) }
        guard case .stored = await port.append(message(.device("d1")), by: ann) else { throw UnexpectedAnswer("not stored") }
        #expect(await port.append(message(.device("d1")), by: ann) == refused(.rateLimited, nil))
        await #expect(throws: StoreError.refused(Refusal(.rateLimited))) {
            try await port.preview(message(.device("d1")), by: ann)
        }
        try await port.changeApp("app") { $0.disabled = true }
        #expect(await port.append(message(.device("d1")), by: ann) == refused(.appDisabled, "appkey"))
    }

    @Test(
        "what is outside of the scope is as if it did not exist: apps, devices, users, organisations",
        arguments: stores(.operators))
    func scope(_ kind: StoreKind) async throws {
        let (fixture, ann) = try await fixture(kind)
        let port = fixture.port
        for (app, target) in [
            ("app", PushRequest.Target.device("d4")), ("app", .organisation("inner")), ("app", .user("u1")),
            ("app-root", .organisation("east")), ("app-east", .device("d1")), ("app-inner", .organisation("inner")),
        ] {
            guard case .stored(let task) = await port.append(message(target, as: app), by: ann) else {
                throw UnexpectedAnswer("\(app) \(target)")
            }
            #expect(try await port.report(task, to: nil, within: east).task == task)
        }
        let outside: [(PushRequest.Target, Accepted)] = [
            (.device("d3"), refused(.noSuchDevice, "device_tokens")), (.device("none"), refused(.noSuchDevice, "device_tokens")),
            (.user("u2"), refused(.userHasNoDevice, "user_id")), (.user("u3"), refused(.userHasNoDevice, "user_id")),
            (.user("none"), refused(.userHasNoDevice, "user_id")),
            (.organisation("west"), refused(.noSuchOrganisation, "org_id")),
            (.organisation("root"), refused(.noSuchOrganisation, "org_id")),
        ]
        for (target, answer) in outside {
            #expect(await port.append(message(target), by: ann) == answer)
            guard case .refused(let refusal) = answer else { continue }
            await #expect(throws: StoreError.refused(refusal)) { try await port.preview(message(target), by: ann) }
        }
        #expect(await port.append(message(.device("d1"), as: "app-west"), by: ann) == refused(.noSuchApp, "appkey"))
        // Whose number it is outside, is not told.
        _ = try await port.push(message(.device("d3"), bizNo: "9"))
        #expect(await port.append(message(.device("d3"), bizNo: "9"), by: ann) == refused(.outBizNoReused, "policy.out_biz_no"))
        let all = try await fixture.makeOperator("bob", .sender)
        guard case .stored = await port.append(message(.user("u3")), by: all) else { throw UnexpectedAnswer("not stored") }
        guard case .stored = await port.append(message(.user("u3")), by: .installation) else {
            throw UnexpectedAnswer("not stored")
        }
        let viewer = try await fixture.makeOperator("eve", .viewer)
        #expect(await port.append(message(.device("d1")), by: viewer) == refused(.notPermitted, nil))
    }

    @Test("a configuration of an operator does not follow its target out of the scope", arguments: stores(.operators))
    func configurations(_ kind: StoreKind) async throws {
        let (fixture, ann) = try await fixture(kind)
        let port = fixture.port
        guard case .stored(let task) = await port.append(.configuration(.user("u1")), by: ann) else {
            throw UnexpectedAnswer("not stored")
        }
        try await port.makeDevice("d9", in: "inner", user: "u1")
        guard case .stored(let narrow) = await port.append(.configuration(.user("u1"), from: "app-inner"), by: ann) else {
            throw UnexpectedAnswer("not stored")
        }
        #expect(try await port.counts(narrow).targeted == 1)
        try await port.makeDevice("d8", in: "west", user: "u1")
        #expect(try await port.pendingTasks("d8").isEmpty)
        #expect(try await port.pendingTasks("d9") == [task, narrow])
    }

    @Test("a dry run tells whom a push would reach, and leaves nothing behind", arguments: stores(.operators))
    func dryRun(_ kind: StoreKind) async throws {
        let (fixture, ann) = try await fixture(kind)
        let port = fixture.port
        let now = try await fixture.now
        let session = try await port.connect("d4")
        func addressed(_ request: PushRequest) async throws -> PushPreview.Addressed {
            guard case .accepted(let found) = try await port.preview(request, by: ann) else { throw UnexpectedAnswer("repeated") }
            return found
        }
        let all = try await addressed(message(.organisation("east"), bizNo: "1"))
        #expect((all.targeted, all.android, all.ios, all.skippedOversize, all.online) == (4, 3, 1, 0, 1))
        #expect(try #require(all.expireAt) >= now + 3 * day)
        let large = try await addressed(.message(.organisation("east"), size: 400))
        #expect((large.targeted, large.skippedOversize, large.online) == (4, 1, nil))
        #expect(try await addressed(message(.device("d4"))).online == 1)
        #expect(try await addressed(message(.user("u1"))).online == 0)
        #expect(try await addressed(.configuration(.device("d1"))).expireAt == nil)
        session.disconnect()
        // Nothing was made of any of that.
        #expect(try await port.tasks(TaskFilter(), after: nil, limit: 9).items.isEmpty)
        guard case .stored(let task) = await port.append(message(.organisation("east"), bizNo: "1"), by: ann) else {
            throw UnexpectedAnswer("not stored")
        }
        #expect(try await port.preview(message(.organisation("east"), bizNo: "1"), by: ann) == .repeated(task))
        await #expect(throws: StoreError.refused(Refusal(.outBizNoReused, field: "policy.out_biz_no"))) {
            try await port.preview(.message(.device("d1"), bizNo: "1", text: "other"), by: ann)
        }
        await #expect(throws: StoreError.refused(Refusal(.noTestDevice))) {
            try await port.preview(.message(.organisation("inner"), testOnly: true), by: ann)
        }
    }
}
