import Foundation
import FaultVFS
import Push
import StoreContract
import Testing

@testable import SQLiteStore

@Suite("Opening what lies in a directory")
struct OpeningTests {
    @Test("a file of another program is refused and left as it is")
    func foreignDatabase() throws {
        let directory = try TemporaryDirectory()
        try OtherProgram(on: directory.path + "/psp.db").execute(
            "CREATE TABLE theirs(x); PRAGMA user_version=1; PRAGMA application_id=77")
        let before = try contents(directory)
        #expect(throws: SQLiteStoreError.notOurs) { _ = try SQLiteStore.open(directory: directory.path) }
        #expect(try contents(directory) == before)
    }

    @Test("a data directory of a later version is refused and left as it is")
    func laterVersion() async throws {
        let fixture = try await SQLiteFixture()
        try await fixture.port.makeOrg("root")
        fixture.close()
        try OtherProgram(on: fixture.directory.path + "/psp.db").execute("PRAGMA user_version=99")
        let before = try contents(fixture.directory)
        #expect(throws: SQLiteStoreError.newerVersion(found: 99, known: Int(Schema.version))) {
            _ = try SQLiteStore.open(directory: fixture.directory.path)
        }
        #expect(try contents(fixture.directory) == before)
    }

    @Test("a file that is no database, a directory that is not there and one that is a file are refused")
    func cannotOpen() throws {
        let directory = try TemporaryDirectory()
        let text = Data(repeating: UInt8(ascii: "x"), count: 5_000)
        try text.write(to: URL(fileURLWithPath: directory.path + "/psp.db"))
        let before = try contents(directory)
        for path in [directory.path, directory.path + "/none", directory.path + "/psp.db"] {
            #expect(throws: SQLiteStoreError.self) { _ = try SQLiteStore.open(directory: path) }
        }
        #expect(try contents(directory) == before)
    }

    @Test("the first start may be cut short anywhere: a file with nothing in it is taken")
    func emptyFile() async throws {
        let directory = try TemporaryDirectory()
        try Data().write(to: URL(fileURLWithPath: directory.path + "/psp.db"))
        let store = try SQLiteStore.open(directory: directory.path)
        store.close()
    }

    /// Every file of a directory with what is in it, but SQLite's shared memory, which any reader makes.
    private func contents(_ directory: TemporaryDirectory) throws -> [String: Data] {
        var found: [String: Data] = [:]
        for name in try FileManager.default.contentsOfDirectory(atPath: directory.path) where !name.hasSuffix("-shm") {
            let data = try Data(contentsOf: URL(fileURLWithPath: directory.path + "/" + name))
            if name.hasSuffix("-wal") && data.isEmpty { continue }
            found[name] = data
        }
        return found
    }
}
