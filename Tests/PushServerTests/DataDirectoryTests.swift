import Base
import Foundation
import Push
import Testing

@testable import PushServer

@Suite("The data directory")
struct DataDirectoryTests {
    let temporary: TemporaryDirectory

    init() throws {
        temporary = try TemporaryDirectory()
    }

    private let addresses = ServerAddresses(
        http: .literal("127.0.0.1", 1), mqtt: .literal("::1", 2),
        admin: .literal("127.0.0.1", 3))

    @Test("is made with its parents, for its owner alone")
    func made() throws {
        let directory = try DataDirectory("\(temporary.path)/a/b")
        defer { directory.release() }
        #expect(try temporary.mode(of: "a/b") == 0o700)
    }

    @Test("a start that fails leaves nothing that it made itself, and all else as it was")
    func abandoned() throws {
        let directory = try DataDirectory("\(temporary.path)/a/b")
        _ = try directory.adminToken()
        directory.abandon()
        #expect(!FileManager.default.fileExists(atPath: "\(temporary.path)/a"))
        // What was there before stays, and what somebody else has put there.
        try temporary.write("x", to: "notes")
        try temporary.write("token", to: "admin.token")
        let other = try DataDirectory(temporary.path)
        #expect(try other.adminToken() == "token")
        other.abandon()
        #expect(try FileManager.default.contentsOfDirectory(atPath: temporary.path).sorted() == ["admin.token", "notes"])
        try DataDirectory(temporary.path).release()
        try DataDirectory(temporary.path).abandon()
        #expect(FileManager.default.fileExists(atPath: "\(temporary.path)/pspd.lock"), "an earlier start made it")
        // One that is refused by itself.
        try temporary.write("trace", to: "psp.db-wal")
        #expect(throws: StartError.self) { try DataDirectory("\(temporary.path)/notes/below") }
        #expect(throws: StartError.self) { try DataDirectory(temporary.path) }
        #expect(FileManager.default.fileExists(atPath: "\(temporary.path)/pspd.lock"))
    }

    @Test("is closed to others with what holds secrets, whoever left it open; other files are left alone")
    func open() throws {
        let directory = try TemporaryDirectory()
        for name in ["psp.db", "psp.db-wal", "admin.token", "notes"] {
            try directory.write("x", to: name)
            chmod("\(directory.path)/\(name)", 0o664)
        }
        chmod(directory.path, 0o755)
        let opened = try DataDirectory(directory.path)
        defer { opened.release() }
        #expect(try directory.mode(of: "") == 0o700)
        for name in ["psp.db", "psp.db-wal", "admin.token"] { #expect(try directory.mode(of: name) == 0o600, "\(name)") }
        #expect(try directory.mode(of: "notes") == 0o664)
        let names = ["", "/psp.db", "/psp.db-wal", "/admin.token"]
        #expect(opened.closedToOthers == names.map { directory.path + $0 })
    }

    @Test(
        "in which a store has been, and is no more, is refused and left as it is",
        arguments: ["psp.db-wal", "psp.db.new", "pspd.json"],
        [true, false])
    func lostStore(trace: String, hasEmptyFile: Bool) throws {
        try temporary.write("trace", to: trace)
        if hasEmptyFile { try temporary.write("", to: "psp.db") }
        let error = #expect(throws: StartError.self) { try DataDirectory(temporary.path) }
        #expect(
            error?.description.contains("psp.db is missing or empty, but \(trace) beside it") == true,
            "\(String(describing: error))")
        #expect(try temporary.text(of: trace) == "trace")
        try FileManager.default.removeItem(atPath: "\(temporary.path)/\(trace)")
        try DataDirectory(temporary.path).release()
    }

    @Test("is held by one at a time, and who comes second is told by whom")
    func locked() throws {
        let first = try DataDirectory(temporary.path)
        #expect(
            throws: StartError.cannotWork(
                BilingualText(
                    "--data：目录 \(temporary.path) 已由另一个 pspd 使用（进程 \(getpid())）",
                    "--data: another pspd serves \(temporary.path) (process \(getpid()))"))
        ) {
            try DataDirectory(temporary.path)
        }
        first.release()
        try DataDirectory(temporary.path).release()
    }

    @Test("cannot be a file")
    func file() throws {
        try temporary.write("x", to: "file")
        let path = "\(temporary.path)/file"
        #expect(throws: StartError.cannotWork(SystemError(code: ENOTDIR).text.after(path).after("--data"))) {
            try DataDirectory(path)
        }
        #expect(throws: StartError.self) { try DataDirectory("\(path)/below") }
    }

    @Test("keeps the token that was made at the first start, readable by its owner alone")
    func token() throws {
        let directory = try DataDirectory(temporary.path)
        defer { directory.release() }
        let token = try directory.adminToken()
        #expect(token.utf8.count == 32)
        #expect(try temporary.text(of: "admin.token") == token + "\n")
        #expect(try temporary.mode(of: "admin.token") == 0o600)
        #expect(try directory.adminToken() == token)
    }

    @Test("a token that is configured is used and written nowhere")
    func configuredToken() async throws {
        var configuration = ServerConfiguration()
        (configuration.http, configuration.mqtt, configuration.admin) = (nil, nil, .literal("127.0.0.1", 0))
        configuration.store = .sqlite(directory: temporary.path)
        configuration.adminToken = "mine"
        let server = try await PushServer.start(configuration, RunningLevel(.critical))
        let peer = try Peer(server.addresses.admin)
        try peer.send("GET /psp/admin/status HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer mine\r\n\r\n")
        #expect(try peer.receive().hasPrefix("HTTP/1.1 200 "))
        #expect(await server.shutdown())
        #expect(!temporary.has("admin.token"))
    }

    @Test("a token's file that holds none is refused", arguments: ["", "\n", "two words\n"])
    func brokenToken(text: String) throws {
        let directory = try DataDirectory(temporary.path)
        defer { directory.release() }
        try temporary.write(text, to: "admin.token")
        #expect(throws: StartError.self) { try directory.adminToken() }
        #expect(try temporary.text(of: "admin.token") == text)
    }

    @Test("tells where the server is, and takes it back; what a killed process left is taken away at start")
    func announcement() throws {
        try temporary.write("a store", to: "psp.db")
        try temporary.write("{}", to: "pspd.json")
        try temporary.write("not ours", to: "other")
        let directory = try DataDirectory(temporary.path)
        defer { directory.release() }
        #expect(!temporary.has("pspd.json"))
        try directory.announce(addresses)
        #expect(
            try temporary.text(of: "pspd.json")
                == "{\"http\":\"127.0.0.1:1\",\"mqtt\":\"[::1]:2\",\"admin\":\"127.0.0.1:3\",\"pid\":\(getpid())}\n")
        try directory.retract()
        #expect(!temporary.has("pspd.json"))
        #expect(try temporary.text(of: "other") == "not ours")
    }
}
