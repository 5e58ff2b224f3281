import Base
import Push
import StoreContract
import Testing

@Suite("Contract: lists")
struct ListTests {
    @Test(
        "a list goes on from one organisation to the next without leaving out devices that were registered earlier",
        arguments: stores())
    func everyOrganisation(_ kind: StoreKind) async throws {
        let fixture = try await kind.furnished()
        for (number, org) in ["west", "east", "root", "east", "west", "root"].enumerated() {
            try await fixture.port.makeDevice("e\(number)", in: org)
        }
        let task = try await fixture.port.push(.message(.organisation("root")))
        for limit in [1, 2, 4, 1_000] {
            let listed = try await fixture.other.recipients(task, .pending, limit: limit)
            #expect(listed.sorted() == ["d1", "d2", "d3", "e0", "e1", "e2", "e3", "e4", "e5"], "pages of \(limit)")
        }
    }

    @Test(
        "operators see from where a task was pushed, after a restart too; callers do not",
        arguments: [IPAddress("192.0.2.7"), IPAddress("2001:db8::7"), nil], stores())
    func origins(_ client: IPAddress?, _ kind: StoreKind) async throws {
        let fixture = try await kind.furnished()
        let origin = PushRequest.Origin(client: client, requestID: "request-1")
        let task = try await fixture.port.push(.message(.device("d1"), origin: origin))
        let bare = try await fixture.port.push(.message(.device("d1")))
        if kind.claims([.restart]) { try await fixture.restart() }
        let port = fixture.other
        #expect(try await port.report(task, to: nil).origin == origin)
        #expect(try await port.report(task, to: AppKey(unchecked: "app")).origin == nil)
        #expect(try await port.report(bare, to: nil).origin == nil)
        #expect(try await port.tasks(TaskFilter(), after: nil, limit: 2).items.map(\.origin) == [nil, origin])
        let own = TaskFilter(caller: AppKey(unchecked: "app"))
        #expect(try await port.tasks(own, after: nil, limit: 2).items.map(\.origin) == [nil, nil])
    }

    @Test("a page holds no more than was asked for", arguments: stores())
    func limits(_ kind: StoreKind) async throws {
        let fixture = try await kind.furnished()
        let port = fixture.port
        for _ in 0..<3 { try await port.push(.message(.organisation("root"))) }
        let task = try await port.push(.message(.organisation("root")))
        #expect(try await port.recipients(of: task, to: nil, state: .pending, after: nil, limit: 2).items.count <= 2)
        #expect(try await port.tasks(TaskFilter(), after: nil, limit: 2).items.count <= 2)
        #expect(try await port.apps(after: nil, limit: 2).items.count <= 2)
        #expect(try await port.organisations(after: nil, limit: 2).items.count <= 2)
        #expect(try await port.devices(DeviceFilter(), after: nil, limit: 2).items.count <= 2)
    }

    @Test("tasks are listed newest first, by app, organisation and time", arguments: stores())
    func tasks(_ kind: StoreKind) async throws {
        let fixture = try await kind.furnished()
        let port = fixture.port
        try await port.makeApp("second")
        var tasks: [TaskID] = []
        var times: [Int64] = []
        for number in 0..<6 {
            try await fixture.advance(by: hour)
            times.append(try await fixture.now)
            let target: PushRequest.Target = number % 2 == 0 ? .organisation("east") : .organisation("root")
            tasks.append(
                try await (number % 2 == 0 ? port : fixture.other).push(.message(target, from: number < 3 ? "app" : "second")))
        }
        func listed(_ filter: TaskFilter) async throws -> [TaskID] {
            try await port.all { after throws(StoreError) in try await port.tasks(filter, after: after, limit: 2) }.map(\.task)
        }
        #expect(try await listed(TaskFilter()) == tasks.reversed())
        #expect(try await listed(TaskFilter(app: AppKey(unchecked: "app"))) == tasks[0..<3].reversed())
        #expect(try await listed(TaskFilter(organisation: OrgID(unchecked: "east"))) == [tasks[4], tasks[2], tasks[0]])
        #expect(try await listed(TaskFilter(from: times[1], to: times[4])) == tasks[1..<4].reversed())
        let all = TaskFilter(
            app: AppKey(unchecked: "second"), organisation: OrgID(unchecked: "root"), from: times[0], to: times[5])
        #expect(try await listed(all) == [tasks[3]])
        #expect(try await listed(TaskFilter(app: AppKey(unchecked: "none"))).isEmpty)
        #expect(try await listed(TaskFilter(organisation: OrgID(unchecked: "none"))).isEmpty)
    }

    @Test("a caller's own tasks are found by tag and by its own number, in pages of any size", arguments: stores())
    func named(_ kind: StoreKind) async throws {
        let fixture = try await kind.furnished()
        let port = fixture.port
        try await port.makeApp("second")
        var tasks: [TaskID] = []
        for number in 0..<8 {
            let request = PushRequest.message(
                .organisation("east"), from: number == 5 ? "second" : "app", tag: number % 2 == 0 ? nil : "t",
                bizNo: number % 4 == 3 ? "n\(number)" : nil)
            tasks.append(try await (number < 4 ? port : fixture.other).push(request))
        }
        let app = AppKey(unchecked: "app")
        for limit in [1, 2, 100] {
            func listed(_ filter: TaskFilter) async throws -> [TaskID] {
                try await port.all { after throws(StoreError) in try await port.tasks(filter, after: after, limit: limit) }
                    .map(\.task)
            }
            #expect(try await listed(TaskFilter(caller: app, tag: "t")) == [tasks[7], tasks[3], tasks[1]])
            #expect(try await listed(TaskFilter(tag: "t")) == [tasks[7], tasks[5], tasks[3], tasks[1]])
            #expect(try await listed(TaskFilter(caller: app, outBizNo: "n3")) == [tasks[3]])
            #expect(try await listed(TaskFilter(app: app, tag: "t", outBizNo: "n7")) == [tasks[7]])
            #expect(try await listed(TaskFilter(caller: app, tag: "other", outBizNo: "n7")).isEmpty)
            #expect(try await listed(TaskFilter(outBizNo: "n7")) == [tasks[7]])
            #expect(try await listed(TaskFilter(caller: AppKey(unchecked: "second"))) == [tasks[5]])
            #expect(try await listed(TaskFilter(caller: AppKey(unchecked: "nobody"), tag: "t")).isEmpty)
        }
    }

    @Test("an app lists no task of one that had its key before; an operator does", arguments: stores(.configurations))
    func formerApp(_ kind: StoreKind) async throws {
        let fixture = try await kind.furnished()
        let port = fixture.port
        let app = AppKey(unchecked: "app")
        let former = try await port.push(.message(.organisation("east"), tag: "t"))
        _ = try await port.apply(.removeApp(app))
        try await port.makeApp("app")
        let own = try await port.push(.message(.organisation("east"), tag: "t"))
        for filter in [TaskFilter(caller: app), TaskFilter(caller: app, tag: "t")] {
            #expect(try await port.tasks(filter, after: nil, limit: 10).items.map(\.task) == [own])
        }
        for filter in [TaskFilter(app: app), TaskFilter(app: app, tag: "t")] {
            #expect(try await port.tasks(filter, after: nil, limit: 10).items.map(\.task) == [own, former])
        }
    }

    @Test(
        "tasks are found by time although configurations were handed to devices that joined", arguments: stores(.configurations))
    func timesOfReferences(_ kind: StoreKind) async throws {
        let fixture = try await kind.furnished()
        let port = fixture.port
        try await port.push(.configuration(.organisation("root")))
        try await fixture.advance(by: hour)
        let from = try await fixture.now
        let first = try await port.push(.message(.organisation("root")))
        try await fixture.advance(by: hour)
        try await port.makeDevice("e", in: "root")
        let second = try await port.push(.message(.organisation("root")))
        try await fixture.advance(by: hour)
        let to = try await fixture.now
        try await port.push(.message(.organisation("root")))
        let page = try await port.tasks(TaskFilter(from: from, to: to), after: nil, limit: 10)
        #expect(page.items.map(\.task) == [second, first])
    }

    @Test("totals sum one app's tasks with one tag, from one time on and before another", arguments: stores())
    func totals(_ kind: StoreKind) async throws {
        let fixture = try await kind.furnished()
        let port = fixture.port
        try await port.makeApp("second")
        var times: [Int64] = []
        for tag: ExactText? in ["t", "t", "other", nil, "t"] {
            try await fixture.advance(by: hour)
            times.append(try await fixture.now)
            try await port.push(.message(.organisation("root"), tag: tag))
        }
        try await port.push(.message(.organisation("root"), from: "second", tag: "t"))
        let session = try await port.connect("d1")
        session.settle([try await session.read()[0]])
        func totals(_ tag: ExactText, _ from: Int64? = nil, _ to: Int64? = nil) async throws -> (Int, [RecipientState: Int]) {
            let found = try await port.totals(app: AppKey(unchecked: "app"), tag: tag, from: from, to: to)
            return (found.tasks, found.counts.parts)
        }
        #expect(try await totals("t") == (3, [.delivered: 1, .pending: 8]))
        #expect(try await totals("t", times[1], nil) == (2, [.pending: 6]))
        #expect(try await totals("t", nil, times[1]) == (1, [.delivered: 1, .pending: 2]))
        #expect(try await totals("t", times[0], times[4]) == (2, [.delivered: 1, .pending: 5]))
        #expect(try await totals("other") == (1, [.pending: 3]))
        #expect(try await totals("none") == (0, [:]))
        session.disconnect()
    }

    @Test(
        "devices are listed by organisation, user and connection, page by page; apps and organisations too", arguments: stores())
    func directory(_ kind: StoreKind) async throws {
        let fixture = try await kind.furnished()
        let port = fixture.port
        for number in 0..<3 { try await port.makeApp("app\(number)") }
        let session = try await fixture.other.connect("d1")
        func devices(_ filter: DeviceFilter) async throws -> [String] {
            try await port.all { after throws(StoreError) in
                try await port.devices(filter, after: after, limit: 2)
            }.map(\.token.text).sorted()
        }
        #expect(try await devices(DeviceFilter()) == ["d1", "d2", "d3"])
        #expect(try await devices(DeviceFilter(user: UserID(unchecked: "u1"))) == ["d1", "d2"])
        #expect(try await devices(DeviceFilter(organisation: OrgID(unchecked: "west"))) == ["d3"])
        #expect(try await devices(DeviceFilter(organisation: OrgID(unchecked: "root"))) == [])
        #expect(try await devices(DeviceFilter(online: true)) == ["d1"])
        #expect(try await devices(DeviceFilter(online: false)) == ["d2", "d3"])
        #expect(try await devices(DeviceFilter(user: UserID(unchecked: "u1"), online: false)) == ["d2"])
        #expect(try await devices(DeviceFilter(organisation: OrgID(unchecked: "no"))) == [])
        let apps = try await port.all { after throws(StoreError) in try await port.apps(after: after, limit: 2) }
        #expect(apps.map(\.key.text).sorted() == ["app", "app0", "app1", "app2"])
        let orgs = try await port.all { after throws(StoreError) in try await port.organisations(after: after, limit: 2) }
        #expect(orgs.map(\.id.text).sorted() == ["east", "root", "west"])
        #expect(orgs.first { $0.id.text == "root" }?.devices == 3)
        session.disconnect()
    }

    @Test(
        "a token that no list gave out is refused", arguments: stores(.strictTokens),
        ["x", "1.y", "j", "jx", "1.2.3", ".", "-1.2", "4294967296.0"])
    func foreignToken(_ kind: StoreKind, text: String) async throws {
        let fixture = try await kind.furnished()
        let task = try await fixture.port.push(.message(.organisation("root")))
        await #expect(throws: StoreError.refused(Refusal(.invalidValue, field: "after"))) {
            _ = try await fixture.port.recipients(of: task, to: nil, state: .pending, after: PageToken(text), limit: 10)
        }
    }

    @Test("lists of tasks and of the directory refuse what is no token", arguments: stores(.strictTokens))
    func noToken(_ kind: StoreKind) async throws {
        let fixture = try await kind.furnished()
        let port = fixture.port
        let refused = StoreError.refused(Refusal(.invalidValue, field: "after"))
        let token = PageToken("not a token")
        await #expect(throws: refused) { _ = try await port.tasks(TaskFilter(), after: token, limit: 10) }
        await #expect(throws: refused) { _ = try await port.apps(after: token, limit: 10) }
        await #expect(throws: refused) { _ = try await port.organisations(after: token, limit: 10) }
        await #expect(throws: refused) { _ = try await port.devices(DeviceFilter(), after: token, limit: 10) }
        await #expect(throws: refused) { _ = try await port.devices(DeviceFilter(online: true), after: token, limit: 10) }
    }
}
