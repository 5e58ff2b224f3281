import Push
import StoreContract
import Testing

@Suite("Contract: imports")
struct ImportTests {
    @Test("lines apply in order, each alone, beside pushes; the report tells what became of them", arguments: stores())
    func lines(_ kind: StoreKind) async throws {
        let fixture = try await kind.open()
        let (port, second) = (fixture.port, fixture.other)
        try await port.makeApp("app")
        let lines =
            [.deviceLine("early", in: "root"), "", #"{"kind":"org","id":"root","name":"root"}"#]
            + (0..<400).map { .deviceLine("d\($0 % 300)", in: "root") } + ["no JSON", #"{"kind":"device","id":"new"}"#]
        async let told = port.importLines(lines, by: 100)
        async let other = second.importLines([#"{"kind":"org","id":"other","name":"other"}"#])
        var pushed = 0
        while pushed < 20 {
            if case .stored = await port.append(.message(.organisation("root"))) { pushed += 1 }
        }
        let report = try await told
        #expect(report.state == .done && report.lines == 404)
        #expect((report.tally.created, report.tally.updated, report.tally.failed) == (301, 100, 3))
        #expect(report.startedAt <= report.endedAt ?? .min && report.timeLeft == nil)
        #expect(report.failures.map(\.line) == [1, 404, 405])
        #expect(report.failures.map(\.code) == [.noSuchOrganisation, .invalidJSON, .missingField])
        #expect(report.failures.map(\.field) == ["org_id", nil, "platform"])
        #expect(report.failures.allSatisfy { $0.message.chinese != $0.message.english && !$0.message.english.isEmpty })
        #expect(report.failures.first?.message.english.contains("no such organisation") == true)
        #expect(try await other.tally.created == 1)
        #expect(try await fixture.other.organisation(OrgID(unchecked: "root")).devices == 300)
    }

    @Test("of many failing lines the first hundred are told", arguments: stores())
    func manyFailures(_ kind: StoreKind) async throws {
        let fixture = try await kind.open()
        let report = try await fixture.port.importLines(Array(repeating: "[]", count: 250), by: 60)
        #expect(report.tally.failed == 250 && report.tally.done == 250)
        #expect(report.failures.map(\.line) == Array(1...100))
    }

    @Test("one that nobody waits for goes on, and is looked up by its number, from any port", arguments: stores())
    func goesOn(_ kind: StoreKind) async throws {
        let fixture = try await kind.open()
        let port = fixture.other
        try await port.makeOrg("root")
        let ids = (0..<3).map { _ in ImportID.drawn() }
        for (number, id) in ids.enumerated() {
            let lines = (0..<200).map { String.deviceLine("d\(number)-\($0)", in: "root") } + ["[]"]
            let first = try await fixture.port.importLines(lines, as: id, patience: .zero)
            #expect(first.id == id && first.lines == 201)
        }
        for id in ids {
            try await eventually("its end") { try await port.importReport(id).state == .done }
            let report = try await port.importReport(id)
            #expect((report.tally.created, report.tally.updated, report.tally.failed) == (200, 0, 1))
            #expect(report.failures.map(\.line) == [201] && report.endedAt != nil)
        }
        let page = try await port.imports(after: nil, limit: 2)
        let rest = try await port.imports(after: page.next, limit: 2)
        #expect((page.items + rest.items).map(\.id) == ids.reversed() && rest.next == nil)
        #expect((page.items + rest.items).allSatisfy { $0.failures.isEmpty && $0.tally.done == 201 })
        await #expect(throws: StoreError.refused(Refusal(.noSuchTask, field: "import_id"))) {
            _ = try await port.importReport(ImportID("nothing"))
        }
    }

    @Test("what was kept of one that is not run changes nothing", arguments: stores())
    func abandoned(_ kind: StoreKind) async throws {
        let fixture = try await kind.open()
        let (port, id) = (fixture.port, ImportID.drawn())
        try await port.keep(ImportPart([#"{"kind":"org","id":"root","name":"root"}"#]), of: id)
        await #expect(throws: StoreError.self) { _ = try await port.importReport(id) }
        port.abandon(id)
        #expect(try await port.importLines(["[]"]).tally.failed == 1)
        #expect(try await port.imports(after: nil, limit: 10).items.isEmpty)
        await #expect(throws: StoreError.self) { _ = try await port.organisation(OrgID(unchecked: "root")) }
    }

    @Test("it goes on after any end of the store, and applies each line once", arguments: stores(.restart))
    func restart(_ kind: StoreKind) async throws {
        for ending in kind.claims([.crash]) ? [Ending.close, .crash] : [.close] {
            let fixture = try await kind.furnished()
            let id = ImportID.drawn()
            let count = 3_000
            let lines = (0..<count).map { $0 % 100 == 7 ? "[]" : .deviceLine("e\($0)", in: "root") }
            let first = try await fixture.port.importLines(lines, by: 700, as: id, patience: .zero)
            #expect(first.state == .running && first.lines == count)
            for progress in [0, 1, count / 2] {
                let port = fixture.port
                try await eventually("some of it") { try await port.importReport(id).tally.done >= progress }
                try await fixture.restart(after: ending)
            }
            let port = fixture.other
            try await eventually("its end") { try await port.importReport(id).state == .done }
            let report = try await port.importReport(id)
            #expect((report.tally.created, report.tally.updated, report.tally.failed) == (count - 30, 0, 30))
            #expect(report.failures.map(\.line) == (0..<30).map { $0 * 100 + 8 })
            #expect(try await port.organisation(OrgID(unchecked: "root")).devices == 3 + count - 30)
        }
    }

    @Test("whoever waits for it when the store closes is told how far it is", arguments: stores(.restart))
    func close(_ kind: StoreKind) async throws {
        let fixture = try await kind.furnished()
        let (port, id, count) = (fixture.port, ImportID.drawn(), 4_000)
        async let told = port.importLines((0..<count).map { .deviceLine("e\($0)", in: "root") }, as: id)
        try await eventually("its first devices") { try await port.organisation(OrgID(unchecked: "root")).devices > 3 }
        fixture.store.close()
        let report = try await told
        #expect(report.id == id && report.state == .running && (1..<count).contains(report.tally.created))
        try await fixture.restart()
        let again = fixture.port
        try await eventually("its end") { try await again.importReport(id).state == .done }
        #expect(try await again.importReport(id).tally.created == count)
    }
}
