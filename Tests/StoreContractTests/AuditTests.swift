import Base
import Push
import StoreContract
import Testing

/// What operators did, and who was refused, is kept: with the change, for everybody who may see it, and no more than there is
/// room.
@Suite("Contract: audit log")
struct AuditTests {
    private let here = IPAddress("192.0.2.7")

    @Test("what an operator changes has an entry, and what is refused has one too, newest first", arguments: stores())
    func changes(_ kind: StoreKind) async throws {
        let fixture = try await kind.furnished()
        let port = fixture.port
        let call = try await registered(call("ann", "r-1"), kind, fixture)
        var south = OrganisationChange()
        south.name = "South"
        _ = try await port.apply(.putOrganisation(OrgID(unchecked: "south"), south), by: call)
        _ = try? await port.apply(.removeDevice(DeviceToken(unchecked: "none")), by: call)
        _ = try? await port.apply(.removeOrganisation(OrgID(unchecked: "east")), by: call)
        let task = try await port.push(.message(.organisation("east")))
        try await port.cancel(task, by: call)
        try await port.disconnect(DeviceToken(unchecked: "d1"), by: call)
        let found = try await entries(port)
        #expect(
            found.prefix(5).map { bare($0.entry) } == [
                AuditEntry(call, .deviceDisconnect, AuditTarget(.device, "d1")),
                AuditEntry(call, .taskCancel, task: task),
                AuditEntry(call, .organisationRemove, AuditTarget(.organisation, "east"), code: 2207),
                AuditEntry(call, .deviceRemove, AuditTarget(.device, "none"), code: 2201),
                AuditEntry(call, .organisationPut, AuditTarget(.organisation, "south")),
            ])
        #expect(found.map(\.number) == found.map(\.number).sorted(by: >))
        let now = try await fixture.now
        #expect(found.allSatisfy { abs($0.time - now) < 60_000 })
    }

    @Test("the same refusal by the same operator has one entry a minute", arguments: stores())
    func sameRefusals(_ kind: StoreKind) async throws {
        let fixture = try await kind.furnished()
        let call = try await registered(call("ann", "r-1"), kind, fixture)
        func refuse() async throws -> Int {
            let before = try await entries(fixture.port).count
            for _ in 0..<3 {
                _ = try? await fixture.port.cancel(TaskID("none"), by: call)
                _ = try? await fixture.port.disconnect(DeviceToken(unchecked: "none"), by: call)
                _ = try? await fixture.port.apply(.removeDevice(DeviceToken(unchecked: "none")), by: call)
            }
            return try await entries(fixture.port).count - before
        }
        try await fixture.advance(by: hour)
        #expect(try await refuse() == 3)
        try await fixture.advance(by: hour)
        #expect(try await refuse() == 3)
    }

    @Test("an entry outlives the end of every process as the change does", arguments: stores(.crash))
    func crash(_ kind: StoreKind) async throws {
        let fixture = try await kind.furnished()
        let call = try await registered(call("ann", "r-1"), kind, fixture)
        _ = try await fixture.port.apply(.removeDevice(DeviceToken(unchecked: "d3")), by: call)
        try await fixture.restart(after: .crash)
        #expect(try await entries(fixture.port).first?.entry == AuditEntry(call, .deviceRemove, AuditTarget(.device, "d3")))
    }

    @Test("what changes nothing is recorded in its order among the changes, and after a clean end too", arguments: stores())
    func reads(_ kind: StoreKind) async throws {
        let fixture = try await kind.furnished()
        let call = try await registered(call("ann", "r-1"), kind, fixture)
        let read = AuditEntry(call, .deviceRead, AuditTarget(.device, "d1"))
        let port = fixture.port
        port.record(read)
        // What one node records comes before its own changes; before another's, when it is written.
        if kind.isInTurn { try await eventually("its entry") { try await entries(port).contains { $0.entry == read } } }
        _ = try await port.apply(.removeDevice(DeviceToken(unchecked: "d1")), by: call)
        let last = AuditEntry(call, .taskList, code: 2103)
        fixture.port.record(last)
        if kind.claims([.restart]) { try await fixture.restart() }
        let found = try await entries(fixture.port).prefix(3).map(\.entry)
        #expect(found == [last, AuditEntry(call, .deviceRemove, AuditTarget(.device, "d1")), read])
    }

    @Test("entries are chosen by each of their fields", arguments: stores())
    func filters(_ kind: StoreKind) async throws {
        let fixture = try await kind.furnished()
        let port = fixture.port
        try await fixture.advance(by: hour)
        let start = try await fixture.now
        let other = OperatorCall(
            .named(OperatorIdentity(OperatorNumber(2), OperatorName(unchecked: "bob")), Authority(.viewer, in: nil)),
            client: IPAddress("2001:db8::1"),
            requestID: "r-2")
        let task = TaskID("t-1")
        let all = [
            AuditEntry(call("ann", "r-1"), .deviceRead, AuditTarget(.device, "d1")),
            AuditEntry(other, .deviceRead, AuditTarget(.device, "d2"), code: 2201),
            AuditEntry(.installation, .taskExplain, AuditTarget(.device, "d1"), task: task),
        ]
        for entry in all {
            port.record(entry)
            _ = try await entries(port)
            try await fixture.advance(by: hour)
        }
        func found(_ choose: (inout AuditFilter) -> Void) async throws -> [AuditEntry] {
            var filter = AuditFilter()
            filter.from = start
            choose(&filter)
            return try await entries(port, filter).map(\.entry)
        }
        #expect(try await found { _ in } == all.reversed())
        #expect(try await found { $0.name = OperatorName(unchecked: "bob") } == [all[1]])
        #expect(try await found { $0.caller = "installation" } == [all[2]])
        #expect(try await found { $0.client = IPAddress("2001:db8::1") } == [all[1]])
        #expect(try await found { $0.action = .deviceRead } == [all[1], all[0]])
        #expect(try await found { $0.target = "d1" } == [all[2], all[0]])
        #expect(try await found { $0.task = "t-1" } == [all[2]])
        #expect(try await found { $0.code = 0 } == [all[2], all[0]])
        #expect(try await found { $0.code = 2201 } == [all[1]])
        #expect(try await found { $0.from = start + hour } == [all[2], all[1]])
        #expect(try await found { ($0.from, $0.to) = (start, start + hour) } == [all[0]])
        #expect(try await found { ($0.from, $0.to) = (start + hour, start + hour) } == [])
        #expect(try await found { ($0.from, $0.to) = (Int64.min, Int64.max) }.count >= 3)
    }

    @Test(
        "who is confined sees what he did there, and what was done to what was in his scope when it was done", arguments: stores()
    )
    func scopes(_ kind: StoreKind) async throws {
        let fixture = try await kind.furnished()
        let port = fixture.port
        let (east, west) = (call("eva", "r-e", in: "east"), call("wim", "r-w", in: "west"))
        let installation = OperatorCall(.installation, client: here, requestID: "r-i")
        var move = DeviceChange()
        move.organisation = OrgID(unchecked: "east")
        let all = [
            AuditEntry(east, .deviceList), AuditEntry(west, .deviceRead, AuditTarget(.device, "d1"), code: 2201),
            AuditEntry(installation, .deviceRead, AuditTarget(.device, "d2")),
            AuditEntry(installation, .organisationRead, AuditTarget(.organisation, "root")),
            AuditEntry(installation, .appRead, AuditTarget(.app, "app")),
        ]
        for entry in all { port.record(entry) }
        // From west to east: it concerns both.
        _ = try await port.apply(.putDevice(DeviceToken(unchecked: "d3"), move, secretIfNew: "s"), by: installation)
        // Moved to east only now: what was done to it before is no business of theirs.
        let moved = AuditEntry(installation, .devicePut, AuditTarget(.device, "d3"))
        func seen(_ call: OperatorCall) async throws -> [AuditEntry] {
            try await port.all { after throws(StoreError) in
                try await port.audit(AuditFilter(), after: after, limit: 2, by: call)
            }.map { bare($0.entry) }.filter { ["r-e", "r-w", "r-i"].contains($0.requestID) }
        }
        func kept(_ entries: [AuditEntry]) -> [AuditEntry] { entries.map(withoutScope) }
        #expect(try await seen(east) == kept([moved, all[2], all[1], all[0]]))
        #expect(try await seen(west) == kept([moved, all[1]]))
        #expect(try await seen(call("ida", "r", in: "root")) == kept([moved, all[3], all[2], all[1]]))
        // Whoever was given the name later is another operator.
        #expect(try await seen(call("eva", "r", in: "east", number: 1)) == kept([moved, all[2], all[1]]))
        // What was done in another scope is not told in this one.
        #expect(try await seen(call("eva", "r", in: "west")) == kept([moved]))
        #expect(try await seen(call("eva", "r", in: "none")) == [])
        #expect(try await seen(installation) == kept([moved] + all.reversed()))
    }

    @Test("where nodes share the store an entry names the one that was asked, and is chosen by it", arguments: stores())
    func nodes(_ kind: StoreKind) async throws {
        let fixture = try await kind.furnished()
        let isShared = !fixture.port.lease.isUnlimited
        let call = try await registered(call("ann", "r-1"), kind, fixture)
        for (node, loop) in [(0, fixture.loop), (1, fixture.otherLoop)] {
            let port = fixture.store.port(at: node, for: loop)
            try await loop.follow(port)
            // What changes something, what is refused, and what nobody waits for.
            _ = try await port.apply(.removeDevice(DeviceToken(unchecked: "d\(node + 1)")), by: call)
            _ = try? await port.apply(.removeDevice(DeviceToken(unchecked: "none\(node)")), by: call)
            port.record(AuditEntry(call, .deviceRead, AuditTarget(.device, "d\(node + 1)")))
            let name = fixture.store.name(ofNode: node)
            try await eventually("its entries") { try await entries(port).first?.entry.action == .deviceRead }
            let own = try await entries(port).prefix(3)
            #expect(own.map(\.entry.action) == [.deviceRead, .deviceRemove, .deviceRemove])
            #expect(own.map(\.node) == (isShared ? [name, name, name] : [nil, nil, nil]))
            var filter = AuditFilter()
            (filter.node, filter.name) = (name, call.name)
            let found = try await entries(fixture.port, filter)
            #expect(found.map(\.number) == (isShared ? own.map(\.number) : []), "by either node, and not the other's")
        }
    }

    @Test("a task's entry is seen where its target is", arguments: stores())
    func tasks(_ kind: StoreKind) async throws {
        let fixture = try await kind.furnished()
        let port = fixture.port
        let call = OperatorCall(.installation, client: nil, requestID: "r-t")
        let toEast = try await port.push(.message(.organisation("east")))
        let toWest = try await port.push(.message(.device("d3")))
        for task in [toEast, toWest] { try await port.cancel(task, by: call) }
        func seen(in scope: String) async throws -> [String?] {
            try await port.audit(AuditFilter(), after: nil, limit: 100, by: self.call("x", "r", in: scope)).items.map(\.entry)
                .filter { $0.requestID == "r-t" }.map(\.task)
        }
        #expect(try await seen(in: "east") == [toEast.text])
        #expect(try await seen(in: "west") == [toWest.text])
        #expect(try await seen(in: "root") == [toWest.text, toEast.text])
    }

    @Test("entries and counts of refusals are forgotten after their time", arguments: stores(.lifetimes))
    func lifetimes(_ kind: StoreKind) async throws {
        let fixture = try await kind.furnished()
        let port = fixture.port
        port.record(AuditEntry(call("ann", "r-1"), .taskList))
        let minute = port.clock.now / 60_000
        try await port.count([RefusalCount(.init(.callers, name: "app", client: here, code: 2005), minute: minute, count: 3)])
        try await fixture.advance(by: 179 * day)
        port.record(AuditEntry(call("ann", "r-2"), .taskList))
        #expect(try await entries(port).contains { $0.entry.requestID == "r-1" })
        try await fixture.advance(by: day + hour)
        try await eventually("forgotten") {
            let found = try await entries(port).map(\.entry.requestID)
            let counts = try await port.refusals(RefusalFilter(), after: nil, limit: 10).items
            return found == ["r-2"] && counts.isEmpty
        }
    }

    @Test("refusals of a minute add up, whoever counted them", arguments: stores())
    func refusals(_ kind: StoreKind) async throws {
        let fixture = try await kind.furnished()
        let (port, other) = (fixture.port, fixture.other)
        let minute = port.clock.now / 60_000
        let keys = [
            RefusalCount.Key(.callers, name: "app", client: here, code: 2005),
            RefusalCount.Key(.callers, name: "app", client: here, code: 2006),
            RefusalCount.Key(.operators, name: nil, client: nil, code: 2005),
        ]
        try await port.count(keys.map { RefusalCount($0, minute: minute, count: 2) })
        try await other.count([
            RefusalCount(keys[0], minute: minute, count: 5), RefusalCount(keys[1], minute: minute + 1, count: 1),
        ])
        let found = try await port.all { after throws(StoreError) in
            try await port.refusals(RefusalFilter(), after: after, limit: 2)
        }
        #expect(found.count == 4)
        #expect(found.first?.key == keys[1] && found.first?.count == 1)
        #expect(found.first { $0.key == keys[0] }?.count == 7)
        #expect(found.first { $0.key == keys[2] }?.count == 2)
        var filter = RefusalFilter()
        (filter.client, filter.code) = (here, 2005)
        #expect(try await port.refusals(filter, after: nil, limit: 10).items.map(\.key) == [keys[0]])
    }

    @Test("of a minute only so many refusals are told apart: the rest is one number", arguments: stores())
    func refusalFlood(_ kind: StoreKind) async throws {
        let fixture = try await kind.furnished()
        let port = fixture.port
        let minute = port.clock.now / 60_000
        let flood = (0..<UInt32(RefusalBook.mostKeys + 300)).map { number in
            RefusalCount(.init(.callers, name: "a\(number)", client: IPAddress(v4: number), code: 2004), minute: minute, count: 1)
        }
        try await port.count(flood)
        try await port.count([flood[0]])
        // Nobody hides by a flood of callers who is refused as an operator.
        let attempt = RefusalCount(.init(.operators, name: nil, client: here, code: 2005), minute: minute, count: 1)
        try await port.count([attempt])
        let found = try await port.all { after throws(StoreError) in
            try await port.refusals(RefusalFilter(), after: after, limit: 1_000)
        }
        #expect(found.count == RefusalBook.mostKeys + 2)
        #expect(found.contains { $0.key == attempt.key })
        #expect(found.first { $0.key.code == nil }?.count == 300)
        #expect(found.first { $0.key == flood[0].key }?.count == 2)
    }

    // MARK: In a few words

    /// A call of somebody whom a store with operators knows: another may change nothing.
    private func registered(
        _ call: OperatorCall, _ kind: StoreKind, _ fixture: ContractFixture
    ) async throws -> OperatorCall {
        guard kind.claims([.operators]), let name = call.name else { return call }
        let made = try await fixture.makeOperator(name.text, call.role, in: call.scope?.text)
        return OperatorCall(made.caller, client: call.client, requestID: call.requestID)
    }

    /// - Parameter number: unless it is given, every name has its own.
    private func call(_ name: String, _ id: String, in scope: String? = nil, number: Int64? = nil) -> OperatorCall {
        let authority = Authority(.administrator, in: scope.map { OrgID(unchecked: $0) })
        let own = OperatorNumber(number ?? Int64(name.utf8.first ?? 0))
        let identity = OperatorIdentity(own, OperatorName(unchecked: name))
        return OperatorCall(.named(identity, authority), client: here, requestID: id)
    }

    private func entries(_ port: any StorePort, _ filter: AuditFilter = AuditFilter()) async throws -> [AuditRecord] {
        try await port.all { after throws(StoreError) in
            try await port.audit(filter, after: after, limit: 3, by: .installation)
        }
    }

    /// Without what it tells field by field, which stores with operators do.
    private func bare(_ entry: AuditEntry) -> AuditEntry {
        var entry = entry
        entry.details = []
        return entry
    }

    /// To what its caller was confined is not read again.
    private func withoutScope(_ entry: AuditEntry) -> AuditEntry {
        AuditEntry(
            entry.caller, scope: nil, client: entry.client, requestID: entry.requestID, entry.action, entry.target,
            task: entry.task, code: entry.code)
    }
}
