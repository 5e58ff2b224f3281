import CSQLite
import Foundation
import Push
import Testing

@testable import SQLiteStore

@Suite("Opening and closing")
struct LifetimeTests {
    @Test("an import that was handed in is done when the store has closed")
    func importAtClose() async throws {
        let fixture = try await StoreFixture()
        try await fixture.org("root")
        let port = fixture.port
        async let results = port.apply((0..<3_000).map { device("d\($0)") })
        try await eventually { try await port.organisation(OrgID(unchecked: "root")).devices > 0 }
        fixture.close()
        let answers = try await results
        #expect(answers.count == 3_000)
        #expect(answers.allSatisfy { if case .success(.created) = $0 { true } else { false } })
        try await fixture.restart()
        #expect(try await fixture.port.organisation(OrgID(unchecked: "root")).devices == 3_000)
    }

    @Test("what is asked of a closed store is refused at once, whatever it is")
    func closed() async throws {
        let fixture = try await StoreFixture()
        try await fixture.app("app")
        try await fixture.org("root")
        fixture.close()
        let port = fixture.port
        let accepted = await port.append(.message(.organisation("root")), withinRate: true)
        guard case .unavailable = accepted else {
            Issue.record("\(accepted)")
            return
        }
        let results = try await port.apply([device("d")])
        #expect(results == [.failure(Refusal(.unavailable))])
        await #expect(throws: StoreError.self) { _ = try await port.apply(device("d")) }
        await #expect(throws: AttachError.unavailable) {
            _ = try await port.attach(DeviceToken(unchecked: "d"), secret: [1], session: SessionID(raw: 1))
        }
        let handle = DeviceHandle(ordinal: 1)
        await #expect(throws: StoreError.self) { _ = try await port.pending(for: handle, after: .start, limit: 10) }
    }

    @Test("a connection that waits to take over is refused when the store closes")
    func waitingAttachAtClose() async throws {
        let fixture = try await StoreFixture()
        try await fixture.org("root")
        try await fixture.device("d", in: "root")
        let first = try await fixture.attach("d")
        let port = fixture.port
        async let second: Attached = port.attach(
            DeviceToken(unchecked: "d"), secret: Array("secret".utf8), session: SessionID(raw: 77))
        try await eventually {
            fixture.loop.takeEntries().contains { if case .close(_, first.session, .takenOver) = $0 { true } else { false } }
        }
        fixture.close()
        do {
            _ = try await second
            Issue.record("attached to a closed store")
        } catch {
            #expect(error as? AttachError == .unavailable)
        }
    }

    @Test("a file of another program is refused and left as it is")
    func foreignDatabase() throws {
        let directory = try TemporaryDirectory()
        try makeDatabase(directory.path + "/psp.db", "CREATE TABLE theirs(x); PRAGMA user_version=1; PRAGMA application_id=77")
        let before = try contents(directory)
        #expect(throws: SQLiteStoreError.notOurs) { _ = try SQLiteStore.open(directory: directory.path) }
        #expect(try contents(directory) == before)
    }

    @Test("a data directory of a later version is refused and left as it is")
    func laterVersion() async throws {
        let fixture = try await StoreFixture()
        try await fixture.org("root")
        fixture.close()
        try makeDatabase(fixture.directory.path + "/psp.db", "PRAGMA user_version=99")
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

    private func device(_ token: String) -> DirectoryChange {
        var change = DeviceChange()
        change.platform = .android
        change.organisation = OrgID(unchecked: "root")
        return .putDevice(DeviceToken(unchecked: token), change, secretIfNew: "secret")
    }

    /// By SQLite's own means, as another program would.
    private func makeDatabase(_ path: String, _ sql: String) throws {
        var handle: OpaquePointer?
        defer { sqlite3_close(handle) }
        try #require(sqlite3_open(path, &handle) == SQLITE_OK)
        try #require(sqlite3_exec(handle, sql, nil, nil, nil) == SQLITE_OK)
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
