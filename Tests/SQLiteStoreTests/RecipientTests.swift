import Push
import Testing

@testable import SQLiteStore

@Suite("Lists of a task's devices and of tasks")
struct ListTests {
    @Test("a list goes on from one organisation to the next without leaving out devices that were registered earlier")
    func everyOrganisation() async throws {
        let fixture = try await StoreFixture()
        try await fixture.app("app")
        try await fixture.org("root")
        try await fixture.org("east", under: "root")
        try await fixture.org("west", under: "root")
        for (number, org) in ["west", "east", "root", "east", "west", "root"].enumerated() {
            try await fixture.device("d\(number)", in: org)
        }
        let task = try await fixture.push(.message(.organisation("root")))
        for limit in [1, 2, 4, 1_000] {
            let listed = try await fixture.recipients(task, .pending, limit: limit)
            #expect(listed.sorted() == ["d0", "d1", "d2", "d3", "d4", "d5"], "pages of \(limit)")
        }
    }

    @Test("a token that no list gave out is refused", arguments: ["x", "1.y", "j", "jx", "1.2.3", ".", "-1.2", "4294967296.0"])
    func foreignToken(_ text: String) async throws {
        let fixture = try await StoreFixture()
        try await fixture.app("app")
        try await fixture.org("root")
        let task = try await fixture.push(.message(.organisation("root")))
        await #expect(throws: StoreError.refused(Refusal(.invalidValue, field: "after"))) {
            _ = try await fixture.port.recipients(of: task, to: nil, state: .pending, after: PageToken(text), limit: 10)
        }
    }

    @Test("tasks are found by time although configurations were handed to devices that joined")
    func timesOfReferences() async throws {
        let fixture = try await StoreFixture()
        try await fixture.app("app")
        try await fixture.org("root")
        try await fixture.push(.configuration(.organisation("root")))
        fixture.clock.advance(1_000_000)
        let from = fixture.clock.now
        let first = try await fixture.push(.message(.organisation("root")))
        fixture.clock.advance(1_000)
        // Joins the configuration: a reference to it is appended here.
        try await fixture.device("d1", in: "root")
        let second = try await fixture.push(.message(.organisation("root")))
        let to = fixture.clock.now + 1
        fixture.clock.advance(1_000)
        try await fixture.push(.message(.organisation("root")))
        let page = try await fixture.port.tasks(TaskFilter(from: from, to: to), after: nil, limit: 10)
        #expect(page.items.map(\.task) == [second, first])
    }

    @Test("online devices, organisations and apps are listed page by page")
    func directoryLists() async throws {
        let fixture = try await StoreFixture()
        try await fixture.org("root")
        for number in 0..<5 { try await fixture.device("d\(number)", in: "root", user: number < 3 ? "u" : nil) }
        for number in 0..<3 { try await fixture.app("app\(number)") }
        let session = try await fixture.attach("d1")

        func all(_ filter: DeviceFilter) async throws -> [String] {
            var found: [String] = []
            var after: PageToken?
            repeat {
                let page = try await fixture.port.devices(filter, after: after, limit: 2)
                found += page.items.map(\.token.text)
                after = page.next
            } while after != nil
            return found
        }
        #expect(try await all(DeviceFilter()) == ["d0", "d1", "d2", "d3", "d4"])
        #expect(try await all(DeviceFilter(user: UserID(unchecked: "u"))) == ["d0", "d1", "d2"])
        #expect(try await all(DeviceFilter(online: true)) == ["d1"])
        #expect(try await all(DeviceFilter(online: false)) == ["d0", "d2", "d3", "d4"])
        #expect(try await all(DeviceFilter(organisation: OrgID(unchecked: "no"))) == [])
        #expect(try await fixture.port.organisation(OrgID(unchecked: "root")).online == 1)
        let apps = try await fixture.port.apps(after: nil, limit: 2)
        #expect(apps.items.map(\.key.text) == ["app0", "app1"] && apps.next != nil)
        session.detach()
    }
}
