import Push
import Testing

@testable import SQLiteStore

@Suite("The directory")
struct DirectoryTests {
    @Test("a device is found however deep its organisation lies")
    func deepTree() async throws {
        let fixture = try await StoreFixture()
        try await fixture.app("app")
        try await fixture.org("o0")
        for depth in 1...300 { try await fixture.org("o\(depth)", under: "o\(depth - 1)") }
        try await fixture.device("deep", in: "o300", user: "u")
        let task = try await fixture.push(.message(.organisation("o0")))
        try await fixture.app("scoped", scope: "o0")
        let scoped = try await fixture.push(.message(.user("u"), from: "scoped"))
        #expect(try await fixture.counts(task).targeted == 1)
        #expect(try await fixture.pendingTasks("deep") == [task, scoped])
        #expect(try await fixture.recipients(task, .pending) == ["deep"])
    }

    @Test("last seen is the time of the connection, also when the store had nothing to do before")
    func lastSeen() async throws {
        let fixture = try await StoreFixture()
        try await fixture.org("root")
        try await fixture.device("d", in: "root")
        fixture.clock.advance(7_200_000)
        let session = try await fixture.attach("d")
        #expect(try await fixture.port.device(DeviceToken(unchecked: "d")).lastSeen == fixture.clock.now)
        fixture.clock.advance(60_000)
        session.detach()
        try await fixture.restart()
        #expect(try await fixture.port.device(DeviceToken(unchecked: "d")).lastSeen == fixture.clock.now)
    }

    @Test("a holder that is gone is given nothing more, not even by a page that is asked for late")
    func retiredPages() async throws {
        let fixture = try await StoreFixture()
        try await fixture.app("app")
        try await fixture.org("root")
        try await fixture.device("d", in: "root", user: "u1")
        try await fixture.push(.message(.device("d")))
        let session = try await fixture.attach("d")
        try await fixture.change("d") { $0.user = .set(UserID(unchecked: "u2")) }
        #expect(try await session.pending().isEmpty)
        session.detach()
    }

    @Test("the lines of an import apply in order, each alone, beside pushes; an empty one is done at once")
    func imports() async throws {
        let fixture = try await StoreFixture()
        try await fixture.app("app")
        #expect(try await fixture.port.apply([]).isEmpty)
        var org = OrganisationChange()
        org.name = "root"
        let changes: [DirectoryChange] =
            [FaultTests.device("early"), .putOrganisation(OrgID(unchecked: "root"), org)]
            + (0..<2_000).map { FaultTests.device("d\($0 % 1_500)") } + [.removeDevice(DeviceToken(unchecked: "none"))]
        let port = fixture.port
        async let results = port.apply(changes)
        async let other = port.apply([.removeDevice(DeviceToken(unchecked: "nobody"))])
        var pushed = 0
        while pushed < 20 {
            if case .stored = await port.append(.message(.organisation("root")), withinRate: true) { pushed += 1 }
        }
        let answers = try await results
        #expect(answers.first == .failure(Refusal(.noSuchOrganisation, field: "org_id")))
        #expect(answers[1] == .success(.created(secret: nil)))
        #expect(answers[2..<1_502].allSatisfy { $0 == .success(.created(secret: "secret")) })
        #expect(answers[1_502..<2_002].allSatisfy { $0 == .success(.updated) })
        #expect(answers.last == .failure(Refusal(.noSuchDevice, field: "device_token")))
        #expect(try await other == [.failure(Refusal(.noSuchDevice, field: "device_token"))])
        #expect(try await port.organisation(OrgID(unchecked: "root")).devices == 1_500)
        try await fixture.restart()
        #expect(try await fixture.port.organisation(OrgID(unchecked: "root")).devices == 1_500)
    }

    @Test("a clock that is set back makes nothing active again")
    func clockSetBack() async throws {
        let fixture = try await StoreFixture()
        try await fixture.app("app")
        try await fixture.org("root")
        try await fixture.device("d", in: "root")
        let task = try await fixture.push(.message(.organisation("root"), expires: fixture.clock.now + 1_000))
        fixture.clock.advance(2_000)
        #expect(try await fixture.counts(task).expired == 1)
        fixture.clock.advance(-1_500)
        #expect(try await fixture.counts(task).expired == 1)
        #expect(try await fixture.pendingTasks("d").isEmpty)
    }

    @Test("a refused change changes nothing")
    func refusals() async throws {
        let fixture = try await StoreFixture()
        try await fixture.org("root")
        try await fixture.org("leaf", under: "root")
        try await fixture.device("d", in: "leaf")
        await #expect(throws: StoreError.refused(Refusal(.invalidValue, field: "parent_id"))) {
            try await fixture.org("root", under: "leaf")
        }
        for org in ["root", "leaf"] {
            await #expect(throws: StoreError.refused(Refusal(.organisationInUse, field: "org_id"))) {
                try await fixture.removeOrg(org)
            }
        }
        await #expect(throws: StoreError.refused(Refusal(.invalidValue, field: "platform"))) {
            try await fixture.change("d") { $0.platform = .ios }
        }
        #expect(try await fixture.port.organisation(OrgID(unchecked: "root")).devices == 1)
    }
}

@Suite("Configurations")
struct ConfigurationTests {
    @Test("one that has expired stays expired when a newer one comes: no count falls back")
    func expiredIsNotSuperseded() async throws {
        let fixture = try await StoreFixture()
        try await fixture.app("app")
        try await fixture.org("root")
        try await fixture.device("d", in: "root")
        let older = try await fixture.push(.configuration(.organisation("root"), expires: fixture.clock.now + 1_000))
        fixture.clock.advance(2_000)
        #expect(try await fixture.counts(older).expired == 1)
        try await fixture.push(.configuration(.organisation("root")))
        let report = try await fixture.port.report(older, to: nil)
        #expect(report.status == .expired && report.counts.expired == 1 && report.counts.superseded == 0)
    }

    @Test("a device that joins a target outside the app's scope does not receive that app's configuration")
    func scopeAtJoining() async throws {
        let fixture = try await StoreFixture()
        try await fixture.org("root")
        try await fixture.org("inside", under: "root")
        try await fixture.org("outside", under: "root")
        try await fixture.app("app", scope: "inside")
        try await fixture.device("d", in: "inside", user: "u1")
        let task = try await fixture.push(.configuration(.device("d")))
        try await fixture.change("d") { $0.organisation = OrgID(unchecked: "outside") }
        #expect(try await fixture.pendingTasks("d") == [task])
        // The new holder of the token is outside the scope.
        try await fixture.change("d") { $0.user = .set(UserID(unchecked: "u2")) }
        #expect(try await fixture.pendingTasks("d").isEmpty)
        let counts = try await fixture.counts(task)
        #expect(counts.targeted == 1 && counts.withdrawn == 1)
        // And joins where it comes inside.
        try await fixture.change("d") { $0.organisation = OrgID(unchecked: "inside") }
        #expect(try await fixture.pendingTasks("d") == [task])
        #expect(try await fixture.counts(task).targeted == 2)
    }

    @Test("those of a deleted organisation are cancelled")
    func deletedOrganisation() async throws {
        let fixture = try await StoreFixture()
        try await fixture.app("app")
        try await fixture.org("root")
        try await fixture.device("d", in: "root")
        let task = try await fixture.push(.configuration(.organisation("root")))
        try await fixture.remove("d")
        try await fixture.removeOrg("root")
        #expect(try await fixture.port.report(task, to: nil).status == .cancelled)
        try await fixture.org("root")
        try await fixture.device("e", in: "root")
        #expect(try await fixture.pendingTasks("e").isEmpty)
    }
}
