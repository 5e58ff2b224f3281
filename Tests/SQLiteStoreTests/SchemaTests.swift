import Crypto
import FaultVFS
import Foundation
import Push
import StoreContract
import Testing

@testable import SQLiteStore

/// The tables by version, and that statements find the indexes that are made for them.
@Suite("Schema")
struct SchemaTests {
    @Test("a data directory of version 1 opens, and everything in it goes on")
    func versionOne() async throws {
        let directory = try TemporaryDirectory()
        try OtherProgram(on: directory.path + "/psp.db").execute(try Self.dump("version-1"))
        let fixture = try await SQLiteFixture(in: directory) { $0.clocks = ManualClock(1_795_857_522_000).clocks }
        #expect(try await fixture.rows("PRAGMA user_version") == Schema.version)
        #expect(try await fixture.rows("SELECT count(*) FROM sqlite_master WHERE name = 'past_user'") == 0)

        let (joined, device, user, root) = (Self.task(7), Self.task(8), Self.task(9), Self.task(14))
        #expect(try await fixture.port.pendingTasks("phone") == [device, user, root])
        #expect(try await fixture.port.pendingTasks("tablet") == [joined, root])
        #expect(try await fixture.port.recipients(joined, .delivered) == ["phone"])
        #expect(try await fixture.port.recipients(joined, .withdrawn) == ["gone"])
        #expect(try await fixture.port.recipients(joined, .pending) == ["tablet"])
        #expect(try await fixture.port.recipients(user, .pending) == ["phone"])
        let totals = try await fixture.port.totals(app: AppKey(unchecked: "app"), tag: "t", from: nil, to: nil)
        #expect(totals.tasks == 1 && totals.counts.pending == 2)

        let again = await fixture.port.append(.message(.organisation("root"), bizNo: "order-1"))
        #expect(again == .refused(Refusal(.outBizNoReused, field: "policy.out_biz_no")))
        try await fixture.port.push(.configuration(.organisation("root"), tag: "c"))
        #expect(try await fixture.port.report(joined, to: nil).status == .superseded)
        let new = try await fixture.port.push(.message(.user("ann")))
        try await fixture.restart()
        #expect(try await fixture.port.pendingTasks("phone").last == new)
    }

    @Test("what operators of version 7 began belongs to them, but not to who was given a name that somebody else had had")
    func versionSeven() async throws {
        let directory = try TemporaryDirectory()
        let program = try OtherProgram(on: directory.path + "/psp.db")
        for (step, text) in Schema.steps[..<7].enumerated() { try program.execute(text + "PRAGMA user_version=\(step + 1);") }
        try program.execute(
            """
            PRAGMA application_id=\(Schema.applicationID);
            INSERT INTO operator(name, display_name, role, disabled, password, created)
              VALUES('bob', 'Bob', 2, 0, '\(PasswordVerifier.cheap("p").text)', 2000),
                    ('ann', 'Ann', 2, 0, '\(PasswordVerifier.cheap("p").text)', 1000);
            INSERT INTO operator_session(key, name, created, expires) VALUES(x'01', 'bob', 2500, 9000000000000000);
            INSERT INTO import(import_id, state, started, operator)
              VALUES('of-ann', 2, 1500, 'ann'), ('of-a-former-bob', 2, 1500, 'bob'), ('of-a-former-eve', 2, 1500, 'eve'),
                    ('of-bob', 2, 2500, 'bob'), ('of-the-installation', 2, 1500, NULL);
            INSERT INTO audit(at, ahead, caller, name, action, code)
              VALUES(1400, 100, 'operator', 'ann', 'task.list', 0), (1400, 100, 'operator', 'bob', 'task.list', 0);
            """)
        let fixture = try await SQLiteFixture(in: directory)
        let loop = TestLoop()
        let snapshot = try await loop.follow(fixture.store.port(for: loop))
        let numbers = Dictionary(uniqueKeysWithValues: snapshot.operators.map { ($0.name.text, $0.number) })
        #expect(numbers == ["ann": OperatorNumber(1), "bob": OperatorNumber(2)])
        #expect(snapshot.operatorSessions.map(\.holder) == [OperatorNumber(2)])
        func imports(_ number: OperatorNumber?) async throws -> [String] {
            try await fixture.port.imports(by: number, after: nil, limit: 9).items.map(\.id.text)
        }
        #expect(try await imports(OperatorNumber(1)) == ["of-ann"])
        #expect(try await imports(OperatorNumber(2)) == ["of-bob"])
        #expect(try await imports(nil).count == 5)
        #expect(try await fixture.rows("SELECT count(*) FROM import WHERE beginner = 0") == 2)
        let entries = try await fixture.port.audit(AuditFilter(), after: nil, limit: 9, by: .installation).items
        #expect(entries.map { $0.entry.caller.identity?.number } == [.unknown, OperatorNumber(1)])
    }

    @Test("a directory of a newer version is refused, with what to do, and is left as it is")
    func newerVersion() async throws {
        let fixture = try await SQLiteFixture()
        try await fixture.port.makeOrg("home")
        fixture.close()
        let path = fixture.directory.path + "/psp.db"
        let newer = Schema.version + 1
        try OtherProgram(on: path).execute("PRAGMA user_version = \(newer)")
        let before = try Data(contentsOf: URL(filePath: path))
        let error = SQLiteStoreError.newerVersion(found: Int(newer), known: Int(Schema.version))
        #expect(throws: error) { try SQLiteStore.open(directory: fixture.directory.path, options: fixture.options) }
        #expect(error.text.english.contains("pspctl restore") && error.text.chinese.contains("pspctl restore"))
        #expect(try Data(contentsOf: URL(filePath: path)) == before)
        try OtherProgram(on: path).execute("PRAGMA user_version = \(Schema.version)")
        try await fixture.open(fixture.directory.path)
        #expect(try await fixture.port.organisation(OrgID(unchecked: "home")).devices == 0)
    }

    @Test("numbers that an older directory has given out are noted at once, since retention removes who has them")
    func numbers() async throws {
        let directory = try TemporaryDirectory()
        try OtherProgram(on: directory.path + "/psp.db").execute(try Self.dump("version-1"))
        let fixture = try await SQLiteFixture(in: directory) { $0.clocks = ManualClock(1_795_857_522_000).clocks }
        let (user, organisation) = (
            try await fixture.rows("SELECT max(user) FROM holder"), try await fixture.rows("SELECT max(org) FROM org")
        )
        try await fixture.edit(
            """
            DELETE FROM holder WHERE user = (SELECT max(user) FROM holder);
            DELETE FROM org WHERE org = (SELECT max(org) FROM org)
            """
        )
        try await fixture.port.makeOrg("new")
        try await fixture.port.makeDevice("new", in: "new", user: "new")
        #expect(try await fixture.rows("SELECT user FROM holder WHERE user_id = 'new'") == user + 1)
        #expect(try await fixture.rows("SELECT org FROM org WHERE org_id = 'new'") == organisation + 1)
    }

    @Test("when an older directory was written last is known although its first start was cut short")
    func lastWritten() async throws {
        let directory = try TemporaryDirectory()
        let path = directory.path + "/psp.db"
        try OtherProgram(on: path).execute(try Self.dump("version-1"))
        let newest: Int64 = 1_795_857_522_000
        try Schema.prepare(try Database(path: path, role: .writer), lastWritten: newest - 60_000)
        // That start, by a clock that was fifty years behind, has written the files.
        for name in try FileManager.default.contentsOfDirectory(atPath: directory.path) {
            try FileManager.default.setAttributes(
                [.modificationDate: Date(timeIntervalSince1970: 200_000_000)], ofItemAtPath: directory.path + "/" + name)
        }
        let fixture = try await SQLiteFixture(in: directory) { $0.clocks = ManualClock(200_000_000_000).clocks }
        let created = try await fixture.rows("SELECT max(created) FROM message")
        #expect(fixture.store.clock.now == min(newest - 60_000, created))
        #expect(created > 1_700_000_000_000)
        #expect(try await fixture.rows("SELECT count(*) FROM meta WHERE key = 'last_written'") == 0)
    }

    @Test(
        "live devices, and what has ended, are found by index",
        arguments: [
            ("EXPLAIN QUERY PLAN SELECT ordinal FROM live_device WHERE key = 1", "device_by_key"),
            ("EXPLAIN QUERY PLAN SELECT ordinal FROM live_device WHERE user = 1", "device_by_user"),
            ("EXPLAIN QUERY PLAN SELECT ordinal FROM live_device WHERE org = 1", "device_by_org"),
            (
                "EXPLAIN QUERY PLAN SELECT ordinal FROM retired_device WHERE retired_seq < 9 ORDER BY retired_seq LIMIT 200",
                "device_retired"
            ),
            (
                "EXPLAIN QUERY PLAN SELECT org FROM past_parent WHERE to_seq > 1 AND to_seq < 9 ORDER BY to_seq LIMIT 200",
                "org_parent_ended"
            ),
        ] as [(StaticString, String)])
    func plans(statement: StaticString, index: String) async throws {
        let fixture = try await SQLiteFixture()
        let port = try #require(fixture.port as? LoopPort)
        let plan = try await port.read(port.store.reports) { context throws(SQLiteError) -> [String] in
            let query = try context.database.statement(statement)
            var lines: [String] = []
            while try query.step() { lines.append(query.text(3)) }
            return lines
        }
        #expect(plan.count == 1 && plan[0].contains("INDEX \(index) "), "\(plan)")
    }

    /// The task of that position in the dumped directory.
    private static func task(_ seq: UInt64) -> TaskID { TaskID("7df5f2e3" + String(format: "%012x", seq)) }

    private static func dump(_ name: String) throws -> String {
        let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        return try String(contentsOf: folder.appendingPathComponent("Data/\(name).sql"), encoding: .utf8)
    }
}
