import Base
import Foundation
import Libevent
import Testing

@testable import PushServer

@Suite("pspd as a process", .timeLimit(.minutes(5)))
struct ProcessTests {
    let temporary: TemporaryDirectory

    init() throws {
        temporary = try TemporaryDirectory()
    }

    /// Free ports, and the test's own directory.
    private var arguments: [String] {
        ["--http", "127.0.0.1:0", "--mqtt", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--data", temporary.path, "--loops", "2"]
    }

    @Test("tells its settings and its version, and ends with 0")
    func help() async throws {
        let help = try await ServerProcess(["--help"]).ending()
        #expect(help == .init(code: 0, output: SettingsHelp(language: .english).text, errors: ""))
        let chinese = try await ServerProcess(["--help"], environment: ["LANG": "zh_CN.UTF-8"]).ending()
        #expect(chinese == .init(code: 0, output: SettingsHelp(language: .chinese).text, errors: ""))
        let version = try await ServerProcess(["--version"]).ending()
        #expect(version == .init(code: 0, output: "pspd \(Version.current)\n", errors: ""))
    }

    @Test(
        "a setting that cannot work ends it with 2 and one line",
        arguments: [
            (["--windows", "3"], [:], "pspd: unknown flag --windows; see pspd --help\n"),
            ([], ["PSP_WINDOWS": "3"], "pspd: unknown environment variable PSP_WINDOWS; see pspd --help\n"),
            (["--config", "/nonexistent.yaml"], [:], "pspd: --config: /nonexistent.yaml: No such file or directory\n"),
            (["--config", "/nonexistent.yaml"], ["LC_ALL": "zh_CN"], "pspd：--config：/nonexistent.yaml：文件或目录不存在\n"),
            (["--http", "192.0.2.1:0"], [:], "pspd: --http: bind 192.0.2.1:0: Cannot assign requested address\n"),
            (
                ["--check=no-ports", "--store", "postgres://db/psp?sslmodee=x", "--admin-token", "t"], [:],
                "pspd: --store: invalid URI query parameter: \"sslmodee\"\n"
            ),
        ] as [([String], [String: String], String)])
    func unusable(extra: [String], environment: [String: String], complaint: String) async throws {
        let flags = extra.isEmpty || extra[0] != "--http" ? extra : extra + arguments.dropFirst(2)
        let ending = try await ServerProcess(
            flags.isEmpty ? arguments : flags, environment: environment
        ).ending()
        #expect(ending == .init(code: 2, output: "", errors: complaint))
    }

    @Test("a store that is none, or of a later version, ends it with 2 and is left as it is")
    func foreignStore() async throws {
        let text = String(repeating: "this is no store. ", count: 100)
        try temporary.write(text, to: "psp.db")
        let ending = try await ServerProcess(arguments).ending()
        #expect(ending.code == 2)
        #expect(ending.output == "")
        #expect(ending.errors.hasPrefix("pspd: --data: ") && ending.errors.split(separator: "\n").count == 1, "\(ending.errors)")
        #expect(try temporary.text(of: "psp.db") == text)
    }

    @Test("says where it is, on standard output and in pspd.json, until SIGTERM or SIGINT", arguments: [SIGTERM, SIGINT])
    func ready(signal: Int32) async throws {
        let server = try ServerProcess(arguments)
        let ready = try ReadyLine(await server.line())
        #expect([ready.http, ready.mqtt, ready.admin].allSatisfy { $0.port != 0 && $0.host == "127.0.0.1" })
        #expect(
            try temporary.text(of: "pspd.json")
                == "{\"http\":\"\(ready.http)\",\"mqtt\":\"\(ready.mqtt)\",\"admin\":\"\(ready.admin)\",\"pid\":\(server.pid)}\n")
        #expect(try temporary.mode(of: "admin.token") == 0o600)
        #expect(try temporary.mode(of: "psp.db") == 0o600)
        server.send(signal)
        let ending = await server.ending()
        #expect(ending.code == 0, "\(ending.errors)")
        #expect(ending.output == "")
        #expect(!temporary.has("pspd.json"))
    }

    @Test("SIGHUP ends nothing, and the log says that nothing was reloaded")
    func hangUp() async throws {
        let server = try ServerProcess(arguments + ["--log-format", "text"])
        let ready = try ReadyLine(await server.line())
        server.send(SIGHUP)
        let peer = try Peer(ready.admin)
        try peer.send("GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(try peer.receive().hasPrefix("HTTP/1.1 200 "))
        server.send(SIGTERM)
        let ending = await server.ending()
        #expect(ending.code == 0, "\(ending.errors)")
        #expect(ending.errors.contains("SIGHUP: nothing is reloaded"))
    }

    @Test("a second one on the same directory ends with 2; the first goes on")
    func sameDirectory() async throws {
        let first = try ServerProcess(arguments)
        _ = try ReadyLine(await first.line())
        let second = try await ServerProcess(arguments).ending()
        #expect(
            second
                == .init(
                    code: 2, output: "", errors: "pspd: --data: another pspd serves \(temporary.path) (process \(first.pid))\n"))
        #expect(temporary.has("pspd.json"))
        first.send(SIGTERM)
        #expect(await first.ending().code == 0)
    }

    @Test(
        "a port that anyone has taken ends it with 2, even one that others may share", arguments: ["--http", "--mqtt", "--admin"])
    func portTaken(flag: String) async throws {
        let others = try ListeningSocket.bind(SocketAddress(parsing: "127.0.0.1:0"), count: 2)
        let address = others[0].address
        var flags = arguments
        flags[try #require(flags.firstIndex(of: flag)) + 1] = "\(address)"
        let ending = try await ServerProcess(flags).ending()
        #expect(ending == .init(code: 2, output: "", errors: "pspd: \(flag): \(address) is in use\n"))
        withExtendedLifetime(others) {}
    }

    @Test("serves and ends with 0 though nobody reads its log")
    func unreadLog() async throws {
        let server = try ServerProcess(arguments + ["--log-level", "debug"])
        let ready = try ReadyLine(await server.line())
        // Each connection that ends is a line; a pipe that nobody reads holds some 400 of them.
        for _ in 0..<1_000 { try Peer(ready.mqtt).send("nonsense") }
        let peer = try Peer(ready.admin)
        try peer.send("GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(try peer.receive().hasPrefix("HTTP/1.1 200 "))
        server.send(SIGTERM)
        // The process ends before anybody reads its log.
        #expect(await server.exitCode() == 0)
    }

    @Test("SIGTERM ends it in time though callers and devices say nothing, or stop half-way", arguments: [1, 2])
    func silentPeers(signals: Int) async throws {
        let server = try ServerProcess(arguments)
        let ready = try ReadyLine(await server.line())
        var peers: [Peer] = []
        for address in [ready.http, ready.mqtt, ready.admin] {
            peers.append(try Peer(address))
            peers.append(try Peer(address))
        }
        try peers[0].send("POST /psp/push/msg HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\n{")
        // An answer shows that the connection has been accepted, and leaves it open.
        for index in [1, 5] {
            try peers[index].send("GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n")
            #expect(try peers[index].receive().hasPrefix("HTTP/1.1 "))
        }
        try peers[2].send("\u{10}\u{20}\u{0}")
        let begin = ContinuousClock.now
        for _ in 0..<signals { server.send(SIGTERM) }
        let ending = await server.ending()
        #expect(ending.code == 0, "\(ending.errors)")
        // Systemd would kill it after 10 s (deploy/systemd/pspd.service).
        #expect(ContinuousClock.now - begin < .seconds(10))
        #expect(!temporary.has("pspd.json"))
        withExtendedLifetime(peers) {}
    }

    @Test(
        "told to drain, it serves on and says that it is not ready, then ends; a second signal ends it at once",
        arguments: [1, 2])
    func drain(signals: Int) async throws {
        let delay = signals == 1 ? 2 : 3_600
        let server = try ServerProcess(arguments + ["--drain-delay", "\(delay)", "--drain-rate", "100", "--log-format", "text"])
        let ready = try ReadyLine(await server.line())
        let begin = ContinuousClock.now
        server.send(SIGTERM)
        for address in [ready.http, ready.admin] {
            while try !answer(of: address, to: "/readyz").hasPrefix("HTTP/1.1 503 ") { await Task.yield() }
            #expect(try answer(of: address, to: "/healthz").hasPrefix("HTTP/1.1 200 "))
        }
        #expect(throws: Never.self) { _ = try Peer(ready.mqtt) }
        if signals == 2 { server.send(SIGTERM) }
        let ending = await server.ending()
        #expect(ending.code == 0, "\(ending.errors)")
        #expect(ending.errors.contains("draining"))
        if signals == 1 { #expect(ContinuousClock.now - begin >= .seconds(delay)) }
    }

    /// What comes on a connection of its own.
    private func answer(of address: SocketAddress, to path: String) throws -> String {
        let peer = try Peer(address)
        try peer.send("GET \(path) HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        return try peer.receive()
    }

    @Test("tells the service manager that it serves, lives and ends", arguments: [false, true])
    func serviceManager(isAbstract: Bool) async throws {
        let name = isAbstract ? "@pspd-\(UInt64.random(in: 0 ... .max))" : temporary.path + ".notify"
        let manager = try DatagramReceiver(name)
        let server = try ServerProcess(arguments, environment: ["NOTIFY_SOCKET": name, "WATCHDOG_USEC": "200000"])
        _ = try ReadyLine(await server.line())
        #expect(try manager.next() == "READY=1\nSTATUS=serving")
        for _ in 0..<3 { #expect(try manager.next() == "WATCHDOG=1\nSTATUS=0 devices") }
        server.send(SIGTERM)
        var last = try manager.next()
        while last.hasPrefix("WATCHDOG=1") { last = try manager.next() }
        #expect(last == "STOPPING=1\nSTATUS=ending\nEXTEND_TIMEOUT_USEC=6800000")
        #expect(await server.ending().code == 0)
    }

    @Test("serves on though the service manager cannot be told, and says so")
    func noServiceManager() async throws {
        let server = try ServerProcess(arguments, environment: ["NOTIFY_SOCKET": "\(temporary.path)/nobody"])
        let ready = try ReadyLine(await server.line())
        #expect(try answer(of: ready.http, to: "/readyz").hasPrefix("HTTP/1.1 200 "))
        server.send(SIGTERM)
        let ending = await server.ending()
        #expect(ending.code == 0 && ending.errors.contains("the service manager is not told"), "\(ending.errors)")
    }

    @Test("after a kill it starts again on the same directory")
    func killed() async throws {
        let first = try ServerProcess(arguments)
        _ = try ReadyLine(await first.line())
        let token = try temporary.text(of: "admin.token")
        first.send(SIGKILL)
        #expect(await first.ending().code == -SIGKILL)
        #expect(temporary.has("pspd.json"))
        let second = try ServerProcess(arguments)
        _ = try ReadyLine(await second.line())
        #expect(try temporary.text(of: "admin.token") == token)
        second.send(SIGTERM)
        #expect(await second.ending().code == 0)
    }

    @Test("logs one JSON object a line where standard error is no terminal, and text where that is asked for")
    func logs() async throws {
        let json = try ServerProcess(arguments)
        _ = try ReadyLine(await json.line())
        json.send(SIGTERM)
        for line in await json.ending().errors.split(separator: "\n") {
            let object = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
            #expect(object?["level"] is String && object?["message"] is String, "\(line)")
        }
        let text = try ServerProcess(arguments + ["--log-format", "text"])
        _ = try ReadyLine(await text.line())
        text.send(SIGTERM)
        #expect(await text.ending().errors.contains(" info pspd: serving "))
    }
}
