import Crypto
import Push
import StoreContract
import Testing

@Suite("Contract: operators and their sessions")
struct OperatorTests {
    private let ann = OperatorName(unchecked: "ann")

    /// Of the first operator, unless another one is named.
    private func session(
        _ token: String, of holder: OperatorNumber = OperatorNumber(1), at time: Int64 = 0, expires: Int64 = .max
    ) -> OperatorSession {
        OperatorSession(key: OperatorSessionKey(token: token), holder: holder, createdAt: time, expires: expires, client: nil)
    }

    /// What a loop that begins now is told.
    private func snapshot(_ fixture: ContractFixture) async throws -> DirectorySnapshot {
        let (port, loop) = fixture.newPort()
        return try await loop.follow(port)
    }

    private func password(_ fixture: ContractFixture) async throws -> PasswordVerifier {
        try #require(try await snapshot(fixture).operators.first { $0.name == ann }).password
    }

    @Test(
        "a new one needs its name for people, its role and its password; what is left out later is kept",
        arguments: stores(.operators))
    func fields(_ kind: StoreKind) async throws {
        let fixture = try await kind.furnished()
        await #expect(throws: StoreError.refused(Refusal(.missingField, field: "display_name"))) {
            try await fixture.port.apply(.put(ann, OperatorFields()), by: .installation)
        }
        #expect(try await fixture.port.apply(.put(ann, .new(.sender, in: "east")), by: .installation) == .created(secret: nil))
        var change = OperatorFields()
        change.role = .viewer
        #expect(try await fixture.port.apply(.put(ann, change), by: .installation) == .updated)
        change = OperatorFields()
        change.scope = .set(OrgID(unchecked: "nowhere"))
        await #expect(throws: StoreError.refused(Refusal(.noSuchOrganisation, field: "org_id"))) {
            try await fixture.port.apply(.put(ann, change), by: .installation)
        }
        let known = try #require(try await snapshot(fixture).operators.first)
        #expect(known.authority == Authority(.viewer, in: OrgID(unchecked: "east")))
        #expect(known.displayName == "An operator" && !known.disabled && known.lastLogin == nil)
        #expect(known.password.accepts(Array("password".utf8)) == true)
        await #expect(throws: StoreError.refused(Refusal(.noSuchOperator, field: "name"))) {
            try await fixture.port.apply(.remove(OperatorName(unchecked: "bob")), by: .installation)
        }
    }

    @Test("every loop learns of a change before it is answered", arguments: stores(.operators))
    func feed(_ kind: StoreKind) async throws {
        let fixture = try await kind.furnished()
        let call = try await fixture.makeOperator("ann", .viewer)
        _ = fixture.otherLoop.takeEntries()
        let begun = session("t")
        _ = try await fixture.port.apply(.logIn(begun, by: try await password(fixture)), by: call)
        _ = try await fixture.port.apply(.logOut(begun.key), by: call)
        _ = try await fixture.port.apply(.remove(ann), by: .installation)
        let told = fixture.otherLoop.takeEntries().compactMap { entry -> String? in
            switch entry {
            case .operatorChanged(call.number, let one): one == nil ? "removed" : "changed"
            case .operatorSession(begun.key, let session): session == nil ? "ended" : "begun"
            default: nil
            }
        }
        #expect(told == ["changed", "begun", "ended", "removed"])
    }

    @Test("operators and sessions are there after a restart", arguments: stores(.operators, .restart))
    func restart(_ kind: StoreKind) async throws {
        let fixture = try await kind.furnished()
        let call = try await fixture.makeOperator("ann", .sender, in: "east")
        let begun = session("t", at: 5, expires: .max)
        _ = try await fixture.port.apply(.logIn(begun, by: try await password(fixture)), by: call)
        let before = try await snapshot(fixture)
        try await fixture.restart()
        let after = try await snapshot(fixture)
        #expect(after.operators == before.operators)
        #expect(after.operators.first?.lastLogin == 5)
        #expect(after.operatorSessions == [begun])
    }

    @Test("another password, disabling and removal end sessions; a role and a scope do not", arguments: stores(.operators))
    func ends(_ kind: StoreKind) async throws {
        let fixture = try await kind.furnished()
        let call = try await fixture.makeOperator("ann", .sender)
        func running() async throws -> Int { try await snapshot(fixture).operatorSessions.count }
        func logIn(_ token: String) async throws {
            _ = try await fixture.port.apply(.logIn(session(token), by: try await password(fixture)), by: call)
        }
        func put(_ edit: (inout OperatorFields) -> Void) async throws {
            var fields = OperatorFields()
            edit(&fields)
            _ = try await fixture.port.apply(.put(ann, fields), by: .installation)
        }
        try await logIn("a")
        try await put { ($0.role, $0.scope) = (.viewer, .set(OrgID(unchecked: "east"))) }
        #expect(try await running() == 1)
        try await put { $0.password = .cheap("another") }
        #expect(try await running() == 0)
        try await logIn("b")
        try await put { $0.disabled = true }
        #expect(try await running() == 0)
        await #expect(throws: StoreError.refused(Refusal(.wrongToken, field: "password"))) { try await logIn("c") }
        try await put { $0.disabled = false }
        try await logIn("d")
        _ = try await fixture.port.apply(.remove(ann), by: .installation)
        #expect(try await running() == 0)
    }

    @Test(
        "an own password takes the place of the one that was shown, and leaves the session that set it",
        arguments: stores(.operators))
    func ownPassword(_ kind: StoreKind) async throws {
        let fixture = try await kind.furnished()
        let call = try await fixture.makeOperator("ann", .viewer)
        let first = try await password(fixture)
        let (kept, other) = (session("kept"), session("other"))
        for one in [kept, other] { _ = try await fixture.port.apply(.logIn(one, by: first), by: call) }
        let second = PasswordVerifier.cheap("second")
        _ = try await fixture.port.apply(.setPassword(second, insteadOf: first, keeping: kept.key), by: call)
        #expect(try await snapshot(fixture).operatorSessions == [kept])
        #expect(try await password(fixture) == second)
        // Somebody who looked before that.
        for late in [OperatorChange.logIn(other, by: first), .setPassword(first, insteadOf: first, keeping: kept.key)] {
            await #expect(throws: StoreError.refused(Refusal(.wrongToken, field: "password"))) {
                try await fixture.port.apply(late, by: call)
            }
        }
    }

    @Test("an own password is not set by a session that was withdrawn meanwhile", arguments: stores(.operators))
    func withdrawnPassword(_ kind: StoreKind) async throws {
        let fixture = try await kind.furnished()
        let call = try await fixture.makeOperator("ann", .viewer)
        let first = try await password(fixture)
        let mine = session("mine")
        _ = try await fixture.port.apply(.logIn(mine, by: first), by: call)
        _ = try await fixture.port.apply(.endSessions(OperatorName(unchecked: "ann"), nil), by: .installation)
        await #expect(throws: StoreError.refused(Refusal(.wrongToken, field: "Authorization"))) {
            try await fixture.port.apply(.setPassword(.cheap("second"), insteadOf: first, keeping: mine.key), by: call)
        }
        #expect(try await password(fixture) == first)
    }

    @Test(
        "sessions are withdrawn one by one or all; those over their time go, and beyond the bound the oldest",
        arguments: stores(.operators))
    func sessions(_ kind: StoreKind) async throws {
        let fixture = try await kind.furnished()
        let call = try await fixture.makeOperator("ann", .viewer)
        let verifier = try await password(fixture)
        func running() async throws -> Set<Int64> { Set(try await snapshot(fixture).operatorSessions.map(\.createdAt)) }
        let most = Int64(Operator.mostSessions)
        _ = try await fixture.port.apply(.logIn(session("over", at: -1, expires: 0), by: verifier), by: call)
        for number in 0...most {
            _ = try await fixture.port.apply(.logIn(session("\(number)", at: number), by: verifier), by: call)
        }
        #expect(try await running() == Set(1...most))
        _ = try await fixture.port.apply(.endSessions(ann, session("7").id), by: .installation)
        #expect(try await running() == Set(1...most).subtracting([7]))
        await #expect(throws: StoreError.refused(Refusal(.noSuchOperator, field: "session_id"))) {
            try await fixture.port.apply(.endSessions(ann, session("7").id), by: .installation)
        }
        _ = try await fixture.port.apply(.endSessions(ann, nil), by: .installation)
        #expect(try await running() == [])
    }

    @Test(
        "what takes an administrator without a scope is refused to others, whatever the call says", arguments: stores(.operators))
    func unscoped(_ kind: StoreKind) async throws {
        let fixture = try await kind.furnished()
        let denied = StoreError.refused(Refusal(.notPermitted))
        for (role, scope) in [(Role.viewer, nil), (.sender, nil), (.administrator, "root")] {
            let call = try await fixture.makeOperator("ann", role, in: scope)
            await #expect(throws: denied) { try await fixture.port.apply(.put(ann, .new(.viewer)), by: call) }
            await #expect(throws: denied) { try await fixture.port.apply(.remove(ann), by: call) }
            await #expect(throws: denied) { try await fixture.port.apply(.endSessions(ann, nil), by: call) }
            await #expect(throws: denied) { try await fixture.port.apply(.removeApp(AppKey(unchecked: "app")), by: call) }
            await #expect(throws: denied) { try await fixture.port.acceptWallClock(by: call) }
        }
        // One that was an administrator when its request was admitted, and is not any more.
        let call = try await fixture.makeOperator("ann", .administrator)
        try await fixture.makeOperator("ann", .viewer)
        await #expect(throws: denied) { try await fixture.port.apply(.removeApp(AppKey(unchecked: "app")), by: call) }
        await #expect(throws: denied) { try await fixture.port.disconnect(DeviceToken(unchecked: "d1"), by: call) }
        _ = try await fixture.port.apply(.remove(ann), by: .installation)
        await #expect(throws: denied) { try await fixture.port.disconnect(DeviceToken(unchecked: "d1"), by: call) }
        for change in [OperatorChange.logOut(session("x").key), .logIn(session("x"), by: .cheap("x"))] {
            await #expect(throws: denied) { try await fixture.port.apply(change, by: .installation) }
        }
    }

    @Test("who is given a name that somebody else had has no part in what that one began", arguments: stores(.operators))
    func namesakes(_ kind: StoreKind) async throws {
        let fixture = try await kind.furnished()
        let port = fixture.port
        let former = try await fixture.makeOperator("ann", .administrator)
        _ = try await port.apply(.logIn(session("t"), by: try await password(fixture)), by: former)
        let id = ImportID.drawn()
        _ = try await port.run(id, last: ImportPart([.deviceLine("i1", in: "east")][...]), patience: .zero, by: former)
        _ = try await port.apply(.remove(ann), by: .installation)
        let present = try await fixture.makeOperator("ann", .administrator)
        #expect(present.number != former.number)
        #expect(try await snapshot(fixture).operatorSessions.isEmpty)
        #expect(try await port.importReport(id, by: former.number).id == id)
        await #expect(throws: StoreError.refused(Refusal(.noSuchTask, field: "import_id"))) {
            try await port.importReport(id, by: present.number)
        }
        #expect(try await port.imports(by: present.number, after: nil, limit: 9).items.isEmpty)

        // What was asked for by the former one, and is decided now.
        let denied = StoreError.refused(Refusal(.notPermitted))
        await #expect(throws: denied) { try await port.disconnect(DeviceToken(unchecked: "d1"), by: former) }
        await #expect(throws: denied) { try await port.apply(.removeDevice(DeviceToken(unchecked: "d1")), by: former) }
        let late = try await port.run(
            .drawn(), last: ImportPart([.deviceLine("i2", in: "east")][...]), patience: .seconds(600), by: former)
        #expect(late.failures.map(\.code) == [.notPermitted])
        try await port.disconnect(DeviceToken(unchecked: "d1"), by: present)
        if kind.claims([.restart]) {
            try await fixture.restart()
            _ = try await fixture.port.apply(.remove(ann), by: .installation)
            let last = try await fixture.makeOperator("ann", .viewer)
            #expect(![former.number, present.number].contains(last.number))
        }
    }

    @Test(
        "an entry tells what a change did, field by field, and of secrets only that they were set", arguments: stores(.operators))
    func details(_ kind: StoreKind) async throws {
        let fixture = try await kind.furnished()
        let port = fixture.port
        func told(_ change: (any StorePort) async throws -> Void) async throws -> [AuditDetail] {
            try await change(port)
            return try #require(try await port.audit(AuditFilter(), after: nil, limit: 1, by: .installation).items.first).entry
                .details
        }
        func put(_ edit: @escaping (inout OperatorFields) -> Void) -> (any StorePort) async throws -> Void {
            { port in
                var fields = OperatorFields()
                edit(&fields)
                _ = try await port.apply(.put(OperatorName(unchecked: "ann"), fields), by: .installation)
            }
        }
        #expect(
            try await told { _ in _ = try await fixture.port.apply(.put(ann, .new(.viewer, in: "east")), by: .installation) } == [
                AuditDetail("display_name", to: "An operator"), AuditDetail("role", to: "viewer"),
                AuditDetail("org_id", to: "east"), AuditDetail("disabled", to: "false"),
            ])
        #expect(
            try await told(put { ($0.role, $0.scope, $0.password) = (.sender, .clear, .cheap("another")) }) == [
                AuditDetail("role", from: "viewer", to: "sender"), AuditDetail("org_id", from: "east"), AuditDetail("password"),
            ])
        #expect(try await told(put { $0.disabled = true }) == [AuditDetail("disabled", from: "false", to: "true")])
        #expect(try await told(put { $0.displayName = "An operator" }) == [])
        #expect(
            try await told { try await $0.change("d1") { ($0.organisation, $0.user) = (OrgID(unchecked: "west"), .clear) } } == [
                AuditDetail("org_id", from: "east", to: "west"), AuditDetail("user_id", from: "u1"),
            ])
        #expect(try await told { try await $0.change("d1") { $0.secret = "another" } } == [AuditDetail("secret")])
        #expect(
            try await told {
                try await $0.changeApp("app") { ($0.disabled, $0.masterSecret, $0.perDay) = (true, "new", .set(5)) }
            } == [
                AuditDetail("disabled", from: "false", to: "true"), AuditDetail("pushes_per_day", to: "5"),
                AuditDetail("master_secret"),
            ])
        #expect(
            try await told { try await $0.moveOrg("east", under: "west") } == [AuditDetail("parent_id", from: "root", to: "west")]
        )
        let pushed = try await told { _ = await $0.append(.message(.device("d1")), by: .installation) }
        #expect(pushed == [AuditDetail("appkey", to: "app"), AuditDetail("interface", to: "msg")])
    }

    @Test("what changes nothing has no second entry within a minute", arguments: stores(.operators, .standingClock))
    func sameAgain(_ kind: StoreKind) async throws {
        let fixture = try await kind.furnished()
        let port = fixture.port
        let call = try await fixture.makeOperator("ann", .sender)
        let task = try await port.push(.message(.device("d1")))
        func recorded() async throws -> [AuditAction] {
            var filter = AuditFilter()
            filter.name = ann
            return try await port.audit(filter, after: nil, limit: 99, by: .installation).items.map(\.entry.action)
        }
        func repeatAll() async throws {
            for _ in 0..<3 {
                try await port.disconnect(DeviceToken(unchecked: "d1"), by: call)
                try await port.cancel(task, by: call)
            }
        }
        try await repeatAll()
        // The task was cancelled once, and then found cancelled.
        #expect(try await recorded() == [.taskCancel, .taskCancel, .deviceDisconnect])
        try await fixture.advance(by: 60_000)
        try await repeatAll()
        #expect(try await recorded() == [.taskCancel, .deviceDisconnect, .taskCancel, .taskCancel, .deviceDisconnect])
    }

    @Test("an organisation that is an operator's scope is not removed", arguments: stores(.operators))
    func scopeInUse(_ kind: StoreKind) async throws {
        let fixture = try await kind.furnished()
        try await fixture.port.makeOrg("south", under: "root")
        try await fixture.makeOperator("ann", .viewer, in: "south")
        await #expect(throws: StoreError.refused(Refusal(.organisationInUse, field: "org_id"))) {
            try await fixture.port.removeOrg("south")
        }
        _ = try await fixture.port.apply(.remove(ann), by: .installation)
        try await fixture.port.removeOrg("south")
    }
}
