import Base
import FaultVFS
import Foundation
import Push
import StoreContract
import Testing

@testable import SQLiteStore

/// A device that drops repeats by `task_id` loses a push whose id was given out before; and one whose configuration has a higher
/// version does not take a new one. So a store that goes on from a copy makes itself new.
@Suite("Going on from a copy")
struct CopyTests {
    private let files = FileManager.default

    /// A store that was copied after its first push and configuration, and went on. It is closed.
    private struct Copied {
        let fixture: SQLiteFixture
        let copy: TemporaryDirectory
        /// A message that is in the copy, and one that it lacks.
        let kept: TaskID
        let lost: TaskID
        let lostVersion: Int64
    }

    private func copied() async throws -> Copied {
        let fixture = try await SQLiteFixture()
        try await fixture.port.makeApp("app")
        try await fixture.port.makeOrg("root")
        try await fixture.port.makeDevice("d1", in: "root")
        let kept = try await fixture.port.push(.message(.organisation("root")))
        try await fixture.port.push(.configuration(.organisation("root"), tag: "a"))
        try await fixture.edit("INSERT INTO operator_session(key, holder, created, expires) VALUES(x'01', 1, 0, 9e15)")
        fixture.close()
        let copy = try TemporaryDirectory()
        try clone(fixture.directory, to: copy.path)
        try await fixture.open(fixture.directory.path)
        let lost = try await fixture.port.push(.message(.organisation("root")))
        try await fixture.port.push(.configuration(.organisation("root"), tag: "b"))
        let version = try await fixture.rows("SELECT max(version) FROM message")
        fixture.close()
        return Copied(fixture: fixture, copy: copy, kept: kept, lost: lost, lostVersion: version)
    }

    private func clone(_ directory: TemporaryDirectory, to path: String) throws {
        for name in try files.contentsOfDirectory(atPath: directory.path) {
            try files.copyItem(atPath: directory.path + "/" + name, toPath: path + "/" + name)
        }
    }

    @Test("a backup whose name is taken does nothing, and one that was killed before leaves nothing in the way")
    func names() async throws {
        let fixture = try await SQLiteFixture()
        try await fixture.port.makeApp("app")
        let target = fixture.directory.path + "/copy.db"
        let backup = StoreBackup(of: fixture.directory.path, to: target, longestLog: 1 << 30)
        try Data("left".utf8).write(to: URL(fileURLWithPath: target + ".unfinished"))
        #expect(try backup.run { _ in }.examination.problems.isEmpty)
        #expect(!files.fileExists(atPath: target + ".unfinished"))
        let progress = Locked(0)
        #expect(throws: SQLiteStoreError.failed(BilingualText("\(target) 已存在", "\(target) is there already"))) {
            try backup.run { _ in progress.withLock { $0 += 1 } }
        }
        #expect(progress.withLock { $0 } == 0)
        #expect(!files.fileExists(atPath: target + ".unfinished"))
    }

    @Test("a byte that is changed within a text of a backup is seen by the checksum beside it, and the copy is not restored")
    func changedBytes() async throws {
        let fixture = try await SQLiteFixture()
        try await fixture.port.makeApp("app")
        try await fixture.port.makeOrg("root")
        for number in 0..<5 {
            try await fixture.port.push(.message(.organisation("root"), text: "a text that stands out \(number)"))
        }
        let copy = fixture.directory.path + "/copy.db"
        let result = try StoreBackup(of: fixture.directory.path, to: copy, longestLog: 1 << 30).run { _ in }
        #expect(result.checksumFile == copy + ".sha256")
        #expect(try StoreExamination(of: copy).checksum == .matches)
        #expect(try files.attributesOfItem(atPath: copy + ".sha256")[.posixPermissions] as? Int == 0o600)
        let whole = try Data(contentsOf: URL(fileURLWithPath: copy))
        let target = try TemporaryDirectory()
        var first = whole.startIndex
        while let text = whole.range(of: Data("stands out".utf8), in: first..<whole.endIndex) {
            first = text.upperBound
            var changed = whole
            changed[text.lowerBound] ^= 1
            try changed.write(to: URL(fileURLWithPath: copy))
            let examination = try StoreExamination(of: copy)
            #expect(examination.problems.isEmpty, "SQLite sees nothing")
            #expect(examination.checksum == .differs && !examination.isIntact)
            #expect(throws: SQLiteStoreError.self) {
                try StoreRestore(into: target.path).run(from: copy, keepingOldAs: ".old") { _ in }
            }
            #expect(!files.fileExists(atPath: target.path + "/psp.db") && !files.fileExists(atPath: target.path + "/psp.db.new"))
        }
        #expect(first > whole.startIndex)
        // Without its checksum it is taken for what it is.
        try files.removeItem(atPath: copy + ".sha256")
        let unchecked = try StoreExamination(of: copy)
        #expect(unchecked.checksum == .absent && unchecked.isIntact)
        #expect(try !StoreRestore(into: target.path).run(from: copy, keepingOldAs: ".old") { _ in }.isCompared)
        try Data("nonsense\n".utf8).write(to: URL(fileURLWithPath: copy + ".sha256"))
        #expect(throws: SQLiteStoreError.self) { _ = try StoreExamination(of: copy) }
    }

    @Test("of two backups to one file at once one makes it, and it is whole")
    func together() async throws {
        let fixture = try await SQLiteFixture()
        try await fixture.port.makeApp("app")
        let path = fixture.directory.path
        for round in 0..<30 {
            let target = path + "/copy-\(round).db"
            let made = await withTaskGroup(of: Bool.self) { group in
                for _ in 0..<2 {
                    group.addTask {
                        do throws(SQLiteStoreError) {
                            _ = try StoreBackup(of: path, to: target, longestLog: 1 << 30).run { _ in }
                            return true
                        } catch {
                            return false
                        }
                    }
                }
                return await group.reduce(0) { $0 + ($1 ? 1 : 0) }
            }
            #expect(made == 1)
            #expect(try StoreExamination(of: target).checksum == .matches)
        }
    }

    @Test("who goes back to one copy twice gives out nothing that was given out the first time")
    func twice() async throws {
        let scene = try await copied()
        var (versions, tasks): ([Int64], [TaskID]) = ([], [])
        for _ in 0..<2 {
            let directory = try TemporaryDirectory()
            try clone(scene.copy, to: directory.path)
            try FileManager.default.removeItem(atPath: directory.path + "/psp.mark")
            try await scene.fixture.open(directory.path)
            for tag in ["b", "c"] {
                tasks.append(try await scene.fixture.port.push(.configuration(.organisation("root"), tag: ExactText(tag))))
                versions.append(try await scene.fixture.rows("SELECT max(version) FROM message"))
            }
            scene.fixture.close()
        }
        #expect(versions == versions.sorted() && Set(versions).count == 4, "\(versions)")
        #expect(Set(tasks).count == 4)
    }

    private func expectNew(_ scene: Copied, in path: String) async throws {
        let fixture = scene.fixture
        try await fixture.open(path)
        #expect(try await fixture.port.pendingTasks("d1").first == scene.kept, "what is in the copy keeps its id")
        #expect(try await fixture.isForgotten(scene.lost))
        let new = try await fixture.port.push(.message(.organisation("root")))
        #expect(new != scene.lost)
        #expect(try await fixture.port.pendingTasks("d1").last == new)
        try await fixture.port.push(.configuration(.organisation("root"), tag: "b"))
        #expect(try await fixture.rows("SELECT max(version) FROM message") > scene.lostVersion + 1_000_000)
        #expect(fixture.log.all.contains { $0.contains("taken for a copy") })
        #expect(try await fixture.rows("SELECT count(*) FROM operator_session") == 0, "what was withdrawn since would hold again")
        let before = fixture.log.all.count
        // From there on it is what goes on here.
        fixture.close()
        try await fixture.open(path)
        let next = try await fixture.port.push(.message(.organisation("root")))
        #expect(next.text.prefix(8) == new.text.prefix(8))
        #expect(fixture.log.all.count == before)
        fixture.close()
    }

    @Test("a store that goes on where it ended keeps its number and counts its versions on")
    func continued() async throws {
        let scene = try await copied()
        #expect(scene.kept.text.prefix(8) == scene.lost.text.prefix(8))
        #expect(scene.lostVersion == 2)
        #expect(scene.fixture.log.all.isEmpty)
    }

    @Test("the file alone, put into an empty directory")
    func emptyDirectory() async throws {
        let scene = try await copied()
        let directory = try TemporaryDirectory()
        try files.copyItem(atPath: scene.copy.path + "/psp.db", toPath: directory.path + "/psp.db")
        try await expectNew(scene, in: directory.path)
    }

    @Test("a copy of the whole directory")
    func wholeDirectory() async throws {
        let scene = try await copied()
        try await expectNew(scene, in: scene.copy.path)
    }

    @Test("the file, put in the place of the one that went on")
    func replaced() async throws {
        let scene = try await copied()
        let path = scene.fixture.directory.path + "/psp.db"
        try files.removeItem(atPath: path)
        try files.copyItem(atPath: scene.copy.path + "/psp.db", toPath: path)
        try await expectNew(scene, in: scene.fixture.directory.path)
    }

    @Test("the file, written over the one that went on, as by cp; or a log that has lost its end")
    func overwritten() async throws {
        let scene = try await copied()
        let path = scene.fixture.directory.path + "/psp.db"
        let older = try Data(contentsOf: URL(fileURLWithPath: scene.copy.path + "/psp.db"))
        let file = try FileHandle(forWritingTo: URL(fileURLWithPath: path))
        try file.truncate(atOffset: 0)
        try file.write(contentsOf: older)
        try file.close()
        try await expectNew(scene, in: scene.fixture.directory.path)
    }

    @Test("after a clean end the file alone is the whole store")
    func cleanEnd() async throws {
        let scene = try await copied()
        #expect(scene.fixture.directory.size(of: "psp.db-wal") == 0)
        #expect(scene.fixture.directory.size(of: "psp.db") > 100_000)
        let directory = try TemporaryDirectory()
        try files.copyItem(atPath: scene.fixture.directory.path + "/psp.db", toPath: directory.path + "/psp.db")
        try await scene.fixture.open(directory.path)
        #expect(try await scene.fixture.port.pendingTasks("d1").contains(scene.lost))
        scene.fixture.close()
    }

    @Test(
        "files that are removed or replaced under the running store are noticed, and nothing is stored after",
        arguments: ["directory", "psp.db", "psp.db-wal", "replaced"])
    func removed(what: String) async throws {
        let fixture = try await SQLiteFixture()
        try await fixture.port.makeApp("app")
        try await fixture.port.makeOrg("root")
        try await fixture.port.makeDevice("d1", in: "root")
        let (path, away) = (fixture.directory.path, try TemporaryDirectory())
        switch what {
        case "directory": try files.moveItem(atPath: path, toPath: away.path + "/moved")
        case "replaced":
            try files.moveItem(atPath: path + "/psp.db", toPath: away.path + "/psp.db")
            try files.copyItem(atPath: away.path + "/psp.db", toPath: path + "/psp.db")
        default: try files.removeItem(atPath: path + "/" + what)
        }
        try await eventually { if case .failed = fixture.port.health { true } else { false } }
        guard case .unavailable = await fixture.port.append(.message(.organisation("root"))) else {
            Issue.record("stored in no file")
            return
        }
        #expect(fixture.log.all.contains { $0.contains(what == "replaced" ? "was replaced" : "was removed") })
        #expect(!fixture.store.close())
        fixture.close()
    }
}
