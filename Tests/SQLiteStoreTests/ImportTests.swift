import Foundation
import Push
import StoreContract
import Testing

@testable import SQLiteStore

@Suite("Imports in the file")
struct ImportTests {
    /// ThreadSanitizer makes a store some ten times slower: as many lines take as long there as ten times as many elsewhere.
    #if THREAD_SANITIZER
        private static let thousand = 100
    #else
        private static let thousand = 1_000
    #endif

    private func lines(_ count: Int) -> [String] { (0..<count).map { .deviceLine("d\($0)", in: "root") } }

    private func expectWhole(_ fixture: SQLiteFixture, _ id: ImportID, _ count: Int) async throws {
        let port = fixture.port
        try await eventually("its end") { try await port.importReport(id).state == .done }
        let tally = try await port.importReport(id).tally
        #expect((tally.created, tally.updated, tally.failed) == (count, 0, 0), "each line once")
        #expect(try await port.organisation(OrgID(unchecked: "root")).devices == count)
        try await eventually("its text is gone") { try await fixture.rows("SELECT count(*) FROM import_part") == 0 }
    }

    @Test("a disk that is full while the text comes: nothing of it is applied, and nothing is left of it")
    func fullWhileItComes() async throws {
        let fixture = try await SQLiteFixture.onFaultyDisk()
        let (port, disk, id) = (fixture.port, fixture.disk, ImportID.drawn())
        try await port.keep(ImportPart(lines(5)[...]), of: id)
        disk.fail(.write, .full)
        await #expect(throws: StoreError.unavailable(retryAfter: .seconds(1))) {
            _ = try await port.run(id, last: ImportPart(["", "", "", "", "", "[]"][5...]), patience: .seconds(60))
        }
        disk.repair()
        try await eventually { port.health == .serving }
        port.abandon(id)
        try await eventually("nothing is left") {
            try await fixture.rows("SELECT (SELECT count(*) FROM import) + (SELECT count(*) FROM import_part)") == 0
        }
        #expect(try await port.organisation(OrgID(unchecked: "root")).devices == 0)
    }

    @Test("an import whose text was still coming when the store ended goes at the next start")
    func cutShort() async throws {
        let fixture = try await SQLiteFixture.onFaultyDisk()
        for _ in 0..<3 { try await fixture.port.keep(ImportPart(lines(5)[...]), of: .drawn()) }
        try await fixture.restart()
        try await eventually("nothing is left") {
            try await fixture.rows("SELECT (SELECT count(*) FROM import) + (SELECT count(*) FROM import_part)") == 0
        }
    }

    @Test("a disk that runs full in its midst: it waits, and goes on when there is room")
    func fullInItsMidst() async throws {
        let fixture = try await SQLiteFixture.onFaultyDisk()
        let (port, disk, id) = (fixture.port, fixture.disk, ImportID.drawn())
        _ = try await port.importLines(lines(5 * Self.thousand), as: id, patience: .zero)
        disk.fail(.write, .full)
        try await eventually { port.health == .full }
        let report = try await port.importReport(id)
        #expect(report.state == .running && report.tally.done < 5 * Self.thousand && report.tally.failed == 0)
        disk.repair()
        try await expectWhole(fixture, id, 5 * Self.thousand)
    }

    @Test("a disk that fails in its midst: who waits is told how far it is, and it goes on after a restart", arguments: 0..<3)
    func failsInItsMidst(after: Int) async throws {
        let fixture = try await SQLiteFixture.onFaultyDisk()
        let (port, disk, id) = (fixture.port, fixture.disk, ImportID.drawn())
        async let told = port.importLines(lines(5 * Self.thousand), as: id, patience: .seconds(600))
        try await eventually("its first devices") { try await port.organisation(OrgID(unchecked: "root")).devices > 0 }
        disk.fail(.sync, .inputOutput, after: after, times: 1)
        let report = try await told
        #expect(report.state == .running && report.id == id)
        await #expect(throws: StoreError.unavailable(retryAfter: .seconds(1))) {
            _ = try await port.importLines(["[]"])
        }
        disk.repair()
        try await fixture.restart()
        try await expectWhole(fixture, id, 5 * Self.thousand)
    }

    @Test("at a line at which the process has ended three times an import is left, and the next one goes on")
    func left() async throws {
        let fixture = try await SQLiteFixture.onFaultyDisk()
        let ids = [ImportID.drawn(), .drawn()]
        for id in ids { _ = try await fixture.port.importLines(lines(20 * Self.thousand), as: id, patience: .zero) }
        try await fixture.edit("UPDATE import SET attempts = 3 WHERE import = (SELECT min(import) FROM import)")
        let port = fixture.port
        try await eventually("it is left") { try await port.importReport(ids[0]).state == .failed }
        let report = try await port.importReport(ids[0])
        #expect(report.endedAt != nil && report.tally.done < 20 * Self.thousand)
        #expect(report.failures.map(\.line) == [report.tally.done + 1] && report.failures.map(\.code) == [.internalError])
        try await eventually("the other goes on") { try await port.importReport(ids[1]).state == .done }
        #expect(try await port.importReport(ids[1]).tally.created == 20 * Self.thousand - report.tally.created)
    }

    @Test("starts that find it further than before do not count")
    func attempts() async throws {
        let fixture = try await SQLiteFixture.onFaultyDisk()
        let id = ImportID.drawn()
        _ = try await fixture.port.importLines(lines(30 * Self.thousand), as: id, patience: .zero)
        for round in 1...6 {
            let port = fixture.port
            try await eventually("some of it") { try await port.importReport(id).tally.done >= round * 2 * Self.thousand }
            try await fixture.restart()
        }
        try await expectWhole(fixture, id, 30 * Self.thousand)
    }

    @Test("the last hundred that ended are remembered")
    func forgotten() async throws {
        let fixture = try await SQLiteFixture.onFaultyDisk()
        let (port, ids) = (fixture.port, (0..<103).map { _ in ImportID.drawn() })
        for id in ids { _ = try await port.importLines(["[]"], as: id, patience: .zero) }
        try await eventually("their ends") { try await port.importReport(ids[102]).state == .done }
        let page = try await port.imports(after: nil, limit: 1_000)
        #expect(page.items.map(\.id) == ids.dropFirst(3).reversed())
        #expect(try await fixture.rows("SELECT count(*) FROM import_failure") == 100)
    }

    @Test("no secret of its lines is left in the file")
    func secrets() async throws {
        let fixture = try await SQLiteFixture.onFaultyDisk()
        let secret = "a-secret-that-nobody-else-has"
        let lines = (0..<2_000).map {
            #"{"kind":"device","id":"d\#($0)","platform":"ios","org_id":"root","secret":"\#(secret)"}"#
        }
        let id = ImportID.drawn()
        _ = try await fixture.port.importLines(lines, by: 300, as: id, patience: .zero)
        try await expectWhole(fixture, id, 2_000)
        fixture.close()
        try OtherProgram(on: fixture.directory.path + "/psp.db").execute("PRAGMA wal_checkpoint(TRUNCATE)")
        let file = try Data(contentsOf: URL(fileURLWithPath: fixture.directory.path + "/psp.db"))
        #expect(file.range(of: Data("device".utf8)) != nil && file.range(of: Data(secret.utf8)) == nil)
    }

    @Test("a slice ends after so many changed rows, whatever a line changes; its progress is committed with it")
    func slices() async throws {
        let fixture = try await SQLiteFixture.onFaultyDisk()
        let port = try #require(fixture.port as? LoopPort)
        let id = ImportID.drawn()
        try await port.keep(ImportPart(lines(1_000)[...]), of: id)
        // Not run: driven here, slice by slice.
        let done = try await port.change { decisions, now throws(SQLiteError) -> Result<[Int], Refusal> in
            guard let number = try decisions.tables.imports.receiving(id) else { return .success([]) }
            try decisions.tables.imports.start(number, by: nil, at: now)
            let one = Import(number, by: nil)
            var done: [Int] = []
            for size in [1, 64, 300] {
                var steps = size
                _ = try one.advance(decisions.tables, decisions.changes, steps: &steps, took: 0, at: now)
                one.wasCommitted(isFollowedUp: false)
                done.append(try decisions.tables.imports.report(number)?.tally.done ?? -1)
            }
            return .success(done)
        }
        #expect(done.count == 3 && done[0] == 1)
        #expect((2...65).contains(done[1]) && (done[1] + 1...done[1] + 300).contains(done[2]))
    }
}
