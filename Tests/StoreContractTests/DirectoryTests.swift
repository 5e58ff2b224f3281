import Push
import StoreContract
import Testing

@Suite("Contract: the directory")
struct DirectoryTests {
    @Test("what is new needs its required fields, and tells the secret that it has", arguments: stores())
    func required(_ kind: StoreKind) async throws {
        let fixture = try await kind.open()
        let port = fixture.port
        func field(_ change: DirectoryChange) async -> String? {
            do throws(StoreError) {
                _ = try await port.apply(change)
                return nil
            } catch {
                guard case .refused(let refusal) = error, refusal.code == .missingField else { return "\(error)" }
                return refusal.field
            }
        }
        let (key, org, token) = (AppKey(unchecked: "app"), OrgID(unchecked: "org"), DeviceToken(unchecked: "d"))
        var app = AppChange()
        #expect(await field(.putApp(key, app, secretIfNew: "made")) == "name")
        app.name = "App"
        #expect(await field(.putApp(key, app, secretIfNew: "made")) == "interfaces")
        app.interfaces = [.message]
        #expect(await field(.putApp(key, app, secretIfNew: nil)) == "master_secret")
        #expect(try await port.apply(.putApp(key, app, secretIfNew: "made")) == .created(secret: "made"))
        var organisation = OrganisationChange()
        #expect(await field(.putOrganisation(org, organisation)) == "name")
        organisation.name = "Org"
        #expect(try await port.apply(.putOrganisation(org, organisation)) == .created(secret: nil))
        var device = DeviceChange()
        #expect(await field(.putDevice(token, device, secretIfNew: "made")) == "platform")
        device.platform = .ios
        #expect(await field(.putDevice(token, device, secretIfNew: "made")) == "org_id")
        device.organisation = org
        #expect(await field(.putDevice(token, device, secretIfNew: nil)) == "secret")
        device.secret = "given"
        #expect(try await port.apply(.putDevice(token, device, secretIfNew: "made")) == .created(secret: "given"))
        #expect(try await port.apply(.putDevice(token, DeviceChange(), secretIfNew: nil)) == .updated)
    }

    @Test("fields that are left out are kept, and null clears an optional one", arguments: stores())
    func patches(_ kind: StoreKind) async throws {
        let fixture = try await kind.furnished()
        let (port, other) = (fixture.port, fixture.other)
        try await port.makeApp("part", scope: "east")
        try await port.changeApp("part") { $0.disabled = true }
        let part = AppKey(unchecked: "part")
        let app = App(
            key: part, name: "part", masterSecret: "secret", interfaces: [.message, .configuration],
            scope: OrgID(unchecked: "east"), disabled: true)
        #expect(try await other.app(part) == app)
        try await port.changeApp("part") { $0.scope = .clear }
        let cleared = try await other.app(part)
        #expect(cleared.scope == nil && cleared.disabled)

        try await port.change("d1") { $0.test = true }
        let device = try await other.device(DeviceToken(unchecked: "d1"))
        #expect(device.platform == .android && device.organisation.text == "east" && device.user?.text == "u1" && device.test)
        try await port.give("d1", to: nil)
        #expect(try await other.device(DeviceToken(unchecked: "d1")).user == nil)

        var rename = OrganisationChange()
        rename.name = "East"
        #expect(try await port.apply(.putOrganisation(OrgID(unchecked: "east"), rename)) == .updated)
        let east = Organisation(
            id: OrgID(unchecked: "east"), name: "East", parent: OrgID(unchecked: "root"), devices: 2, online: 0)
        #expect(try await other.organisation(OrgID(unchecked: "east")) == east)
        try await port.moveOrg("east", under: nil)
        #expect(try await other.organisation(OrgID(unchecked: "east")).parent == nil)
        #expect(try await other.organisation(OrgID(unchecked: "root")).devices == 1)
    }

    @Test("what does not exist is refused by its kind", arguments: stores())
    func unknown(_ kind: StoreKind) async throws {
        let fixture = try await kind.furnished()
        let port = fixture.port
        let (app, org, device) = (AppKey(unchecked: "none"), OrgID(unchecked: "none"), DeviceToken(unchecked: "none"))
        func refused(_ code: ErrorCode, _ field: String) -> StoreError { .refused(Refusal(code, field: field)) }
        await #expect(throws: refused(.noSuchApp, "appkey")) { _ = try await port.app(app) }
        await #expect(throws: refused(.noSuchOrganisation, "org_id")) { _ = try await port.organisation(org) }
        await #expect(throws: refused(.noSuchDevice, "device_token")) { _ = try await port.device(device) }
        await #expect(throws: refused(.noSuchApp, "appkey")) { _ = try await port.apply(.removeApp(app)) }
        await #expect(throws: refused(.noSuchOrganisation, "org_id")) { try await port.removeOrg("none") }
        await #expect(throws: refused(.noSuchDevice, "device_token")) { try await port.removeDevice("none") }
        await #expect(throws: refused(.noSuchOrganisation, "org_id")) { try await port.makeDevice("new", in: "none") }
        await #expect(throws: refused(.noSuchOrganisation, "org_id")) { try await port.move("d1", to: "none") }
        await #expect(throws: refused(.noSuchOrganisation, "org_id")) { try await port.makeApp("new", scope: "none") }
        await #expect(throws: refused(.noSuchOrganisation, "parent_id")) { try await port.makeOrg("new", under: "none") }
        await #expect(throws: refused(.noSuchDevice, "device_token")) { _ = try await port.device(DeviceToken(unchecked: "new")) }
    }

    @Test("a refused change changes nothing", arguments: stores())
    func refusals(_ kind: StoreKind) async throws {
        let fixture = try await kind.furnished()
        let port = fixture.port
        for parent in ["root", "east"] {
            await #expect(throws: StoreError.refused(Refusal(.invalidValue, field: "parent_id"))) {
                try await port.makeOrg("root", under: parent)
            }
        }
        for org in ["root", "east"] {
            await #expect(throws: StoreError.refused(Refusal(.organisationInUse, field: "org_id"))) {
                try await port.removeOrg(org)
            }
        }
        await #expect(throws: StoreError.refused(Refusal(.invalidValue, field: "platform"))) {
            try await port.change("d1") {
                $0.platform = .ios
                $0.organisation = OrgID(unchecked: "west")
            }
        }
        #expect(try await fixture.other.device(DeviceToken(unchecked: "d1")).organisation.text == "east")
        #expect(try await fixture.other.organisation(OrgID(unchecked: "root")).devices == 3)
        #expect(try await fixture.other.organisation(OrgID(unchecked: "root")).parent == nil)
    }

    @Test(
        "an organisation without devices and children can be deleted, and what comes later under its name is another",
        arguments: stores())
    func removal(_ kind: StoreKind) async throws {
        let fixture = try await kind.furnished()
        let port = fixture.port
        let task = try await port.push(.message(.organisation("west")))
        try await port.move("d3", to: "east")
        try await port.removeOrg("west")
        await #expect(throws: StoreError.self) { _ = try await fixture.other.organisation(OrgID(unchecked: "west")) }
        #expect(try await port.refusal(of: .message(.organisation("west"))).code == .noSuchOrganisation)
        try await port.makeOrg("west", under: "root")
        try await port.move("d1", to: "west")
        let later = try await port.push(.message(.organisation("west")))
        #expect(try await port.pendingTasks("d1") == [later])
        #expect(try await port.pendingTasks("d3") == [task])
    }

    @Test("a device is found however deep its organisation lies", arguments: stores(.scopes))
    func deepTree(_ kind: StoreKind) async throws {
        let fixture = try await kind.open()
        let port = fixture.port
        try await port.makeApp("app")
        try await port.makeOrg("o0")
        for depth in 1...63 { try await port.makeOrg("o\(depth)", under: "o\(depth - 1)") }
        try await port.makeDevice("deep", in: "o63", user: "u")
        let task = try await port.push(.message(.organisation("o0")))
        try await port.makeApp("scoped", scope: "o0")
        let scoped = try await port.push(.message(.user("u"), from: "scoped"))
        #expect(try await port.counts(task).targeted == 1)
        #expect(try await port.pendingTasks("deep") == [task, scoped])
        #expect(try await port.recipients(task, .pending) == ["deep"])
        // Deeper than that there is nothing, neither by a new one nor by a move.
        let tooDeep = StoreError.refused(Refusal(.invalidValue, field: "parent_id"))
        await #expect(throws: tooDeep) { try await port.makeOrg("o64", under: "o63") }
        try await port.makeOrg("top")
        try await port.makeOrg("side", under: "top")
        await #expect(throws: tooDeep) { try await port.moveOrg("o0", under: "top") }
        await #expect(throws: tooDeep) { try await port.moveOrg("top", under: "o62") }
        try await port.moveOrg("top", under: "o61")
        #expect(try await port.organisation(OrgID(unchecked: "o0")).parent == nil)
    }

    @Test("an organisation that is an app's scope stays, and the refusal names the app", arguments: stores(.scopes))
    func scopeStays(_ kind: StoreKind) async throws {
        let fixture = try await kind.open()
        let port = fixture.port
        try await port.makeOrg("root")
        try await port.makeOrg("east", under: "root")
        try await port.makeApp("narrow", scope: "east")
        do {
            try await port.removeOrg("east")
            Issue.record("deleted")
        } catch .refused(let refusal) {
            #expect(refusal == Refusal(.organisationInUse, field: "org_id"))
            #expect(refusal.message(in: .english).contains("narrow") && refusal.message(in: .chinese).contains("narrow"))
        }
        try await port.changeApp("narrow") { $0.scope = .set(OrgID(unchecked: "root")) }
        try await port.removeOrg("east")
        await #expect(throws: StoreError.self) { try await port.removeOrg("root") }
        _ = try await port.apply(.removeApp(AppKey(unchecked: "narrow")))
        try await port.removeOrg("root")
    }

    @Test("an organisation counts the connected devices of its subtree, wherever they and it move", arguments: stores())
    func online(_ kind: StoreKind) async throws {
        let fixture = try await kind.furnished()
        let port = fixture.port
        func online(_ org: String) async throws -> Int {
            try await fixture.other.organisation(OrgID(unchecked: org)).online
        }
        let one = try await port.connect("d1")
        let three = try await fixture.other.connect("d3")
        #expect(try await [online("root"), online("east"), online("west")] == [2, 1, 1])
        try await port.move("d1", to: "west")
        #expect(try await [online("root"), online("east"), online("west")] == [2, 0, 2])
        try await port.makeOrg("other")
        try await port.moveOrg("west", under: "other")
        #expect(try await [online("root"), online("other"), online("west")] == [0, 2, 2])
        three.disconnect()
        // A store that nodes share writes it a moment later.
        try await eventually("the end of a connection is counted") { try await [online("other"), online("west")] == [1, 1] }
        // Whose holder is gone is nobody's device, however long its connection lasts.
        try await port.removeDevice("d1")
        #expect(try await [online("other"), online("west")] == [0, 0])
        one.disconnect()
        _ = try await port.device(DeviceToken(unchecked: "d3"))
        #expect(try await online("other") == 0)
    }

    @Test("a device that is connected is told with the node that has its connection", arguments: stores())
    func node(_ kind: StoreKind) async throws {
        let fixture = try await kind.furnished()
        let token = DeviceToken(unchecked: "d1")
        for (node, port) in [fixture.port, fixture.other].enumerated() {
            let session = try await port.connect("d1")
            let name = fixture.store.name(ofNode: node)
            for asked in [fixture.port, fixture.other] {
                #expect(try await asked.device(token).node == name)
                let listed = try await asked.devices(DeviceFilter(), after: nil, limit: 9).items
                #expect(listed.map(\.node) == [name, nil, nil])
                let task = try await asked.push(.message(.device("d1")))
                #expect(try await asked.explain(task, to: token, patience: .milliseconds(1)).device.node == name)
            }
            session.disconnect()
            try await eventually("it is offline") { try await fixture.port.device(token).node == nil }
        }
    }
}
