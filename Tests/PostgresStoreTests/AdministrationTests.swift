import Crypto
import Postgres
import Push
import StoreContract
import Testing

@testable import PostgresStore

/// What operators do by one node is true on every other one.
@Suite(.serialized)
struct AdministrationTests {
    private let ann = OperatorName(unchecked: "ann")

    private func operators(_ node: TestNode) async throws -> DirectorySnapshot {
        try await node.store.port(for: TestLoop()).subscribe { _ in }
    }

    private func snapshotCall(_ node: TestNode) async throws -> OperatorCall {
        let known = try #require(try await operators(node).operators.first { $0.name == ann })
        return OperatorCall(.named(known.identity, known.authority), client: nil, requestID: "test")
    }

    @Test func aSessionThatIsWithdrawnAtOneNodeIsDeadAtTheOtherWhenTheCallReturns() async throws {
        try await withNodes { a, b in
            _ = try await a.port.apply(.put(ann, .new(.viewer)), by: .installation)
            let call = try await snapshotCall(b)
            let password = try #require(try await operators(b).operators.first).password
            let session = OperatorSession(
                key: OperatorSessionKey(token: "t"), holder: try #require(call.number), createdAt: 0, expires: .max, client: nil)
            _ = try await b.port.apply(.logIn(session, by: password), by: call)
            _ = a.loop.takeEvents()
            _ = b.loop.takeEvents()
            _ = try await a.port.apply(.endSessions(ann, nil), by: .installation)
            for node in [a, b] {
                let ended = node.loop.takeEntries().contains {
                    if case .operatorSession(session.key, nil) = $0 { true } else { false }
                }
                #expect(ended)
            }
            // One who is removed may do nothing, at whichever node.
            _ = try await a.port.apply(.remove(ann), by: .installation)
            await #expect(throws: StoreError.refused(Refusal(.notPermitted))) {
                try await b.port.disconnect(DeviceToken(unchecked: "phone"), by: call)
            }
        }
    }

    @Test func anImportWhoseNodeDiesIsGoneOnWithByAnother() async throws {
        try await withNodes { a, b in
            try await furnish(a.port)
            let id = ImportID.drawn()
            let count = 2_000
            let lines = (0..<count).map { $0 % 100 == 7 ? "[]" : String.deviceLine("e\($0)", in: "police") }
            let begun = try await a.port.importLines(lines, by: 700, as: id, patience: .zero)
            #expect(begun.state == .running && begun.lines == count)
            try await eventually("some of it") { try await b.port.importReport(id).tally.done > 0 }
            a.store.end(leaving: false)
            let before = try await b.port.importReport(id)
            #expect(before.state == .running && before.tally.done < count)
            try await eventually("its end") { try await b.port.importReport(id).state == .done }
            let report = try await b.port.importReport(id)
            #expect((report.tally.created, report.tally.updated, report.tally.failed) == (count - 20, 0, 20))
            #expect(report.failures.map(\.line) == (0..<20).map { $0 * 100 + 8 })
            let database = try await b.database()
            let devices = try await database.number("SELECT count(*) FROM psp.device WHERE retired_seq = 9223372036854775807")
            #expect(devices == Int64(3 + count - 20))
            #expect(
                try await database.number("SELECT (android + ios)::bigint FROM psp.org WHERE org_id = 'police'::bytea") == devices
            )
            #expect(try await database.number("SELECT count(*) FROM psp.import_part") == 0, "secrets go with the text")
            await database.close()
        }
    }

    @Test func twoNodesRefuseTheSameCallWithOneEntryAMinute() async throws {
        try await withNodes { a, b in
            try await furnish(a.port)
            for node in [a, b, a, b] {
                _ = try? await node.port.apply(.removeDevice(DeviceToken(unchecked: "none")), by: .installation)
            }
            var filter = AuditFilter()
            filter.target = "none"
            let found = try await b.port.audit(filter, after: nil, limit: 10, by: .installation).items
            // Where the minute turned meanwhile there are two.
            #expect((1...2).contains(found.count) && found.allSatisfy { $0.entry.code == 2201 })
        }
    }
}
