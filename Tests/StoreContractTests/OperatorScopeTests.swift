import Push
import StoreContract
import Testing

/// What is outside of an operator's scope does not exist for that operator.
@Suite("Contract: an operator's scope")
struct OperatorScopeTests {
    private let east = OrgID(unchecked: "east")

    private func refused(_ code: ErrorCode, _ field: String?) -> StoreError { .refused(Refusal(code, field: field)) }

    private func org(_ id: String) -> OrgID { OrgID(unchecked: id) }
    private func device(_ id: String) -> DeviceToken { DeviceToken(unchecked: id) }

    /// A furnished store with `inner` below east, and a second user in west.
    private func fixture(_ kind: StoreKind) async throws -> (ContractFixture, OperatorCall) {
        let fixture = try await kind.furnished()
        try await fixture.port.makeOrg("inner", under: "east")
        try await fixture.port.makeDevice("d4", in: "inner")
        try await fixture.port.makeDevice("d5", in: "west", user: "u2")
        return (fixture, try await fixture.makeOperator("ann", .administrator, in: "east"))
    }

    @Test("organisations and devices are looked at inside only, and nothing is above", arguments: stores(.operators))
    func looking(_ kind: StoreKind) async throws {
        let (fixture, _) = try await fixture(kind)
        let port = fixture.port
        #expect(try await port.organisation(east, within: east).parent == nil)
        #expect(try await port.organisation(org("inner"), within: east).parent == east)
        for outside in ["root", "west", "nowhere"] {
            await #expect(throws: refused(.noSuchOrganisation, "org_id")) {
                try await port.organisation(org(outside), within: east)
            }
        }
        #expect(try await port.device(device("d4"), within: east).organisation == org("inner"))
        for outside in ["d3", "nothing"] {
            await #expect(throws: refused(.noSuchDevice, "device_token")) {
                try await port.device(device(outside), within: east)
            }
        }
        for limit in [1, 2, 100] {
            let organisations = try await port.all { after throws(StoreError) in
                try await port.organisations(within: east, after: after, limit: limit)
            }
            #expect(organisations.map(\.id.text) == ["east", "inner"], "pages of \(limit)")
            let devices = try await port.all { after throws(StoreError) in
                try await port.devices(DeviceFilter(scope: east), after: after, limit: limit)
            }
            #expect(devices.map(\.token.text) == ["d1", "d2", "d4"], "pages of \(limit)")
        }
        #expect(try await port.devices(DeviceFilter(organisation: org("west"), scope: east), after: nil, limit: 9).items.isEmpty)
        #expect(
            try await port.devices(DeviceFilter(user: UserID(unchecked: "u2"), scope: east), after: nil, limit: 9).items.isEmpty)
        let sessions = [try await port.connect("d3"), try await port.connect("d4")]
        let online = try await port.devices(DeviceFilter(scope: east, online: true), after: nil, limit: 9)
        #expect(online.items.map(\.token.text) == ["d4"])
        for session in sessions { session.disconnect() }
    }

    @Test(
        "organisations and devices are changed inside only; the scope itself is neither moved nor removed",
        arguments: stores(.operators))
    func changing(_ kind: StoreKind) async throws {
        let (fixture, call) = try await fixture(kind)
        let port = fixture.port
        func put(_ id: String, name: String? = nil, under parent: Patch<OrgID> = .keep) async throws {
            var change = OrganisationChange()
            (change.name, change.parent) = (name, parent)
            _ = try await port.apply(.putOrganisation(org(id), change), by: call)
        }
        try await put("new", name: "New", under: .set(org("inner")))
        try await put("new", under: .set(east))
        try await put("east", name: "The east")
        await #expect(throws: refused(.noSuchOrganisation, "parent_id")) { try await put("new", under: .set(org("west"))) }
        await #expect(throws: refused(.missingField, "parent_id")) { try await put("new", under: .clear) }
        await #expect(throws: refused(.missingField, "parent_id")) { try await put("other", name: "Other") }
        await #expect(throws: refused(.noSuchOrganisation, "org_id")) { try await put("west", under: .set(east)) }
        for parent in [Patch.set(org("inner")), .set(org("root")), .clear] {
            await #expect(throws: refused(.notPermitted, "parent_id")) { try await put("east", under: parent) }
        }
        await #expect(throws: refused(.notPermitted, "org_id")) { try await port.apply(.removeOrganisation(east), by: call) }
        await #expect(throws: refused(.noSuchOrganisation, "org_id")) {
            try await port.apply(.removeOrganisation(org("west")), by: call)
        }
        _ = try await port.apply(.removeOrganisation(org("new")), by: call)

        _ = try await port.apply(.device("d6", in: "inner"), by: call)
        _ = try await port.apply(.device("d6", in: "east"), by: call)
        await #expect(throws: refused(.noSuchOrganisation, "org_id")) {
            try await port.apply(.device("d6", in: "west"), by: call)
        }
        await #expect(throws: refused(.noSuchOrganisation, "org_id")) {
            try await port.apply(.device("d7", in: "west"), by: call)
        }
        await #expect(throws: refused(.noSuchDevice, "device_token")) {
            try await port.apply(.device("d3", in: "east"), by: call)
        }
        for outside in ["d3", "nothing"] {
            await #expect(throws: refused(.noSuchDevice, "device_token")) {
                try await port.apply(.removeDevice(device(outside)), by: call)
            }
            await #expect(throws: refused(.noSuchDevice, "device_token")) { try await port.disconnect(device(outside), by: call) }
        }
        try await port.disconnect(device("d6"), by: call)
        _ = try await port.apply(.removeDevice(device("d6")), by: call)
        #expect(try await port.device(device("d3")).organisation.text == "west")
    }

    @Test(
        "nobody is put in the place of a person outside: what is addressed to that person would follow",
        arguments: stores(.operators))
    func holders(_ kind: StoreKind) async throws {
        let (fixture, call) = try await fixture(kind)
        let port = fixture.port
        await #expect(throws: refused(.userHasNoDevice, "user_id")) {
            try await port.apply(.device("d4", in: "inner", user: "u2"), by: call)
        }
        await #expect(throws: refused(.userHasNoDevice, "user_id")) {
            try await port.apply(.device("d8", in: "inner", user: "u2"), by: call)
        }
        _ = try await port.apply(.device("d4", in: "inner", user: "u1"), by: call)
        _ = try await port.apply(.device("d8", in: "inner", user: "somebody"), by: call)
        // Who has a device outside as well keeps the one inside.
        try await port.makeDevice("d9", in: "west", user: "u1")
        _ = try await port.apply(.device("d1", in: "inner", user: "u1"), by: call)
    }

    @Test(
        "what was addressed to a person outside stays outside when that person's devices are gone, or come inside",
        arguments: stores(.operators))
    func departed(_ kind: StoreKind) async throws {
        let (fixture, call) = try await fixture(kind)
        let port = fixture.port
        try await port.makeDevice("d6", in: "west", user: "u3")
        let tasks = [
            try await port.push(.message(.user("u2"))), try await port.push(.configuration(.user("u2"))),
            try await port.push(.message(.user("u3"))), try await port.push(.configuration(.user("u3"))),
        ]
        _ = try await port.apply(.removeDevice(device("d5")), by: .installation)
        try await port.move("d6", to: "east")
        for user in ["u2", "u3"] {
            await #expect(throws: refused(.userHasNoDevice, "user_id")) {
                try await port.apply(.device("d8", in: "inner", user: user), by: call)
            }
        }
        // Not even where somebody else has done it.
        try await port.makeDevice("d8", in: "inner", user: "u2")
        for task in tasks {
            await #expect(throws: refused(.noSuchTask, "task_id")) { try await port.report(task, to: nil, within: east) }
        }
        let listed = try await port.all { after throws(StoreError) in
            try await port.tasks(TaskFilter(scope: east), after: after, limit: 2)
        }
        #expect(listed.isEmpty)
        let later = try await port.push(.message(.user("u3")))
        #expect(try await port.report(later, to: nil, within: east).task == later)
    }

    @Test(
        "a device that was outside before it had a user does not make that user one from outside", arguments: stores(.operators))
    func formerly(_ kind: StoreKind) async throws {
        let (fixture, call) = try await fixture(kind)
        let port = fixture.port
        try await port.makeDevice("d6", in: "west")
        try await port.move("d6", to: "east")
        _ = try await port.apply(.device("d6", in: "east", user: "u4"), by: call)
        _ = try await port.apply(.removeDevice(device("d6")), by: call)
        _ = try await port.apply(.device("d8", in: "inner", user: "u4"), by: call)
    }

    @Test("who has an organisation for its scope is named to those only who have none", arguments: stores(.operators))
    func holdersOfScopes(_ kind: StoreKind) async throws {
        let (fixture, call) = try await fixture(kind)
        let port = fixture.port
        _ = try await port.apply(.removeDevice(device("d4")), by: call)
        try await fixture.makeOperator("bob", .viewer, in: "inner")
        for (caller, isNamed) in [(call, false), (.installation, true)] {
            do {
                _ = try await port.apply(.removeOrganisation(org("inner")), by: caller)
                Issue.record("removed")
            } catch StoreError.refused(let refusal) {
                #expect(refusal.code == .organisationInUse && (refusal.detail != nil) == isNamed)
            }
        }
    }

    @Test("tasks are seen by whom they addressed, as it was when they were accepted", arguments: stores(.operators))
    func tasks(_ kind: StoreKind) async throws {
        let (fixture, call) = try await fixture(kind)
        let port = fixture.port
        let inside = [
            try await port.push(.message(.organisation("east"))), try await port.push(.message(.organisation("inner"))),
            try await port.push(.message(.device("d1"))), try await port.push(.message(.user("u1"))),
        ]
        let outside = [
            try await port.push(.message(.organisation("root"))), try await port.push(.message(.organisation("west"))),
            try await port.push(.message(.device("d3"))), try await port.push(.message(.user("u2"))),
        ]
        // Where they are now is not where they were.
        try await port.move("d1", to: "inner")
        try await port.move("d3", to: "east")
        for limit in [1, 3, 100] {
            let listed = try await port.all { after throws(StoreError) in
                try await port.tasks(TaskFilter(scope: east), after: after, limit: limit)
            }
            #expect(listed.map(\.task) == inside.reversed(), "pages of \(limit)")
        }
        #expect(
            try await port.tasks(TaskFilter(organisation: org("west"), scope: east), after: nil, limit: 9).items.isEmpty)
        for task in inside { #expect(try await port.report(task, to: nil, within: east).task == task) }
        for task in outside + [TaskID("none")] {
            await #expect(throws: refused(.noSuchTask, "task_id")) { try await port.report(task, to: nil, within: east) }
            await #expect(throws: refused(.noSuchTask, "task_id")) {
                try await port.recipients(of: task, to: nil, within: east, state: .pending, after: nil, limit: 9)
            }
            await #expect(throws: refused(.noSuchTask, "task_id")) { try await port.cancel(task, by: call) }
            await #expect(throws: refused(.noSuchTask, "task_id")) {
                try await port.explain(task, to: device("d1"), within: east, patience: .seconds(1))
            }
        }
        #expect(try await port.cancel(inside[0], by: call) == .cancelled)
        // A user with a device outside as well is not inside from then on.
        try await port.makeDevice("d9", in: "west", user: "u1")
        #expect(try await port.report(inside[3], to: nil, within: east).task == inside[3])
        let later = try await port.push(.message(.user("u1")))
        await #expect(throws: refused(.noSuchTask, "task_id")) { try await port.report(later, to: nil, within: east) }
    }

    @Test(
        "a task's devices are named and explained where they are inside now, and no task of others is named",
        arguments: stores(.operators))
    func recipients(_ kind: StoreKind) async throws {
        let (fixture, _) = try await fixture(kind)
        let port = fixture.port
        let hidden = try await port.push(.message(.organisation("root")))
        let task = try await port.push(.message(.organisation("east")))
        try await port.move("d2", to: "west")
        let session = try await port.connect("d4")
        let row = try #require(try await session.read().first { $0.task == task })
        session.disconnect(settling: [row])
        func named(_ state: RecipientState) async throws -> [String] {
            try await port.recipients(of: task, to: nil, within: east, state: state, after: nil, limit: 9).items.map(
                \.device.text)
        }
        #expect(try await named(.delivered) == ["d4"])
        #expect(try await named(.pending) == ["d1"])
        await #expect(throws: refused(.noSuchDevice, "device_token")) {
            try await port.explain(task, to: device("d2"), within: east, patience: .seconds(1))
        }
        let all = try await port.explain(task, to: device("d1"), patience: .seconds(1))
        #expect(all.wait?.behind == hidden)
        let explained = try await port.explain(task, to: device("d1"), within: east, patience: .seconds(1))
        #expect(explained.wait?.ahead == 1 && explained.wait?.behind == nil)
        #expect(explained.membership?.organisation == east)
        // Where it was before is not told either.
        try await port.move("d3", to: "east")
        let elsewhere = try await port.explain(task, to: device("d3"), within: east, patience: .seconds(1))
        #expect(elsewhere.standing == .outside && elsewhere.membership == nil)
    }

    @Test(
        "each line of an import is judged, by what the operator may do then; the import is seen by who began it",
        arguments: stores(.operators))
    func imports(_ kind: StoreKind) async throws {
        let (fixture, call) = try await fixture(kind)
        let port = fixture.port
        let lines = [
            String.deviceLine("i1", in: "inner"), .deviceLine("i2", in: "west"), .deviceLine("d3", in: "east"),
            #"{"kind":"org","id":"north","name":"N"}"#,
            #"{"kind":"app","id":"a","name":"A","interfaces":[],"master_secret":"s"}"#,
        ]
        let id = ImportID.drawn()
        let report = try await port.run(id, last: ImportPart(lines[...]), patience: .seconds(600), by: call)
        #expect(report.tally.created == 1)
        #expect(report.failures.map(\.line) == [2, 3, 4, 5])
        #expect(report.failures.map(\.code) == [.noSuchOrganisation, .noSuchDevice, .missingField, .notPermitted])

        let other = try await fixture.makeOperator("bob", .administrator, in: "east")
        let long = ImportID.drawn()
        _ = try await port.run(long, last: ImportPart([lines[0]][...]), patience: .zero, by: call)
        #expect(try await port.importReport(long, by: call.number).id == long)
        #expect(try await port.importReport(long, by: nil).id == long)
        await #expect(throws: refused(.noSuchTask, "import_id")) { try await port.importReport(long, by: other.number) }
        #expect(try await port.imports(by: call.number, after: nil, limit: 9).items.map(\.id) == [long])
        #expect(try await port.imports(by: other.number, after: nil, limit: 9).items.isEmpty)

        try await fixture.makeOperator("bob", .viewer, in: "east")
        let late = try await port.run(ImportID.drawn(), last: ImportPart([lines[0]][...]), patience: .seconds(600), by: other)
        #expect(late.failures.map(\.code) == [.notPermitted])
    }
}
