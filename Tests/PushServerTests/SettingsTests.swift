import Glibc
import Push
import Testing

@testable import PushServer

@Suite("Settings")
struct SettingsTests {
    /// Resolves settings as `pspd` does, with a file at hand instead of the disk.
    private func configuration(
        _ arguments: [String] = [], environment: [String: String] = [:], file: String? = nil
    ) throws -> ServerConfiguration {
        guard case .serve(let flags) = try Invocation(arguments: arguments) else {
            Issue.record("the arguments ask for help, not for a server")
            return ServerConfiguration()
        }
        return try ServerConfiguration(flags: flags, environment: environment) { path throws(FileError) in
            guard let file else { throw FileError(path: path, code: 2) }
            return Array(file.utf8)
        }
    }

    private func complaint(
        _ arguments: [String] = [], environment: [String: String] = [:], file: String? = nil
    ) -> String? {
        do {
            _ = try configuration(arguments, environment: environment, file: file)
            return nil
        } catch {
            return "\(error)"
        }
    }

    @Test("nothing set means the defaults")
    func defaults() throws {
        #expect(try configuration() == ServerConfiguration())
    }

    @Test("every default that the help shows is the default in force")
    func shownDefaults() throws {
        for setting in Setting.all where !["admin-token", "loops", "config", "node"].contains(setting.key) {
            var configuration = ServerConfiguration()
            try setting.apply(setting.defaultText, &configuration)
            #expect(configuration == ServerConfiguration(), "\(setting.key)")
        }
    }

    @Test("every example works, from the flag, the environment and the file alike")
    func examples() throws {
        for setting in Setting.all where setting.isInFile {
            let byFlag = try configuration([setting.flag, setting.example])
            #expect(byFlag != ServerConfiguration() || setting.key == "loops", "\(setting.key)")
            #expect(try configuration(["\(setting.flag)=\(setting.example)"]) == byFlag)
            #expect(try configuration(environment: [setting.environment: setting.example]) == byFlag)
            var byFile = try configuration(["--config", "f"], file: "\(setting.key): \"\(setting.example)\"")
            #expect(byFile.settingsFile == "f")
            byFile.settingsFile = nil
            #expect(byFile == byFlag)
        }
    }

    @Test("of a flag that stands twice the last counts")
    func repeated() throws {
        #expect(try configuration(["--window", "x", "--window=2"]).window == 2)
    }

    @Test("a flag beats the environment, which beats the file, which beats the default")
    func precedence() throws {
        let file = "window: 3\nhttp: 127.0.0.1:3\nloops: 3"
        let environment = ["PSP_WINDOW": "2", "PSP_HTTP": "127.0.0.1:2", "PSP_CONFIG": "f", "HOME": "/"]
        let settled = try configuration(["--window", "1"], environment: environment, file: file)
        #expect(settled.window == 1)
        #expect(settled.http == .literal("127.0.0.1", 2))
        #expect(settled.loops == 3)
        #expect(settled.mqtt == ServerConfiguration().mqtt)
    }

    @Test(
        "what cannot work is refused in one line that names the place",
        arguments: [
            (["--windows", "1"], "unknown flag --windows; see pspd --help"),
            (["--check=ports"], "--check=ports: --check tries the ports too, --check=no-ports does not; there is no other"),
            (["--window"], "--window: expected N after it"),
            (["serve"], "unexpected argument \"serve\"; see pspd --help"),
            (["--window", "0"], "--window: expected a whole number from 1 to 1000, not \"0\""),
            (["--window", "+1"], "--window: expected a whole number from 1 to 1000, not \"+1\""),
            (["--window", ""], "--window: expected a whole number from 1 to 1000, not \"\""),
            (["--loops", "many"], "--loops: expected a whole number from 1 to 256, not \"many\""),
            (
                ["--http", "localhost:80"],
                "--http: expected a numeric address and a port, such as 127.0.0.1:8080 or [::1]:8080, or off, "
                    + "not \"localhost:80\""
            ),
            (["--data", ""], "--data: expected a path, not \"\""),
            (["--admin-token", "two words"], "--admin-token: expected printable ASCII without spaces"),
            (
                ["--log-level", "loud"],
                "--log-level: expected one of trace, debug, info, notice, warning, error, critical, not \"loud\""
            ),
            (["--log-format", "xml"], "--log-format: expected one of auto, text, json, not \"xml\""),
            (["--timestamp-window", "0"], "--timestamp-window: expected a whole number from 1 to 86400, not \"0\""),
            (["--task-retention", "x\ny"], "--task-retention: expected a whole number from 1 to 3650, not \"x\\ny\""),
            (["--config", "missing.yaml"], "--config: missing.yaml: No such file or directory"),
        ])
    func unusableFlags(arguments: [String], expected: String) {
        let complaint = complaint(arguments)
        #expect(complaint == expected)
        #expect(complaint?.contains("\n") == false)
    }

    @Test("an unknown or unusable environment variable is refused; those of others are not looked at")
    func unusableEnvironment() {
        #expect(complaint(environment: ["PSP_HTPP": "x"]) == "unknown environment variable PSP_HTPP; see pspd --help")
        #expect(
            complaint(environment: ["PSP_WINDOW": "x"]) == "PSP_WINDOW: expected a whole number from 1 to 1000, not \"x\"")
        #expect(complaint(environment: ["PSPX": "x", "PATH": "x", "psp_window": "x", "PSP_SECRET": "pspctl's"]) == nil)
    }

    @Test(
        "the file's faults are told with their line",
        arguments: [
            ("# first\nwindows: 1\n", "f:2: unknown key windows; see pspd --help"),
            ("config: g\n", "f:1: unknown key config; see pspd --help"),
            ("window: x\n", "f:1: window: expected a whole number from 1 to 1000, not \"x\""),
            ("window: 1\nwindow: 2\n", "f:2: window is given twice"),
            ("http:\n  port: 1\n", "f:2: http must have one plain value"),
            ("admin-token: \"a b\"\n", "f:1: admin-token: expected printable ASCII without spaces"),
        ])
    func unusableFile(file: String, expected: String) {
        #expect(complaint(["--config", "f"], file: file) == expected)
    }

    @Test(
        "in Chinese too, and each setting as well",
        arguments: [
            (["--windows", "1"], "未知的参数 --windows；见 pspd --help"),
            (["--window", "0"], "--window：应为：1 到 1000 的整数，而不是 \"0\""),
            (["--admin-token", "two words"], "--admin-token：应为：不含空格的可打印 ASCII 字符"),
            (["--log-format", "xml"], "--log-format：应为：auto, text, json 之一，而不是 \"xml\""),
            (["--config", "missing.yaml"], "--config：missing.yaml：文件或目录不存在"),
        ])
    func chinese(arguments: [String], expected: String) {
        let error = #expect(throws: SettingsError.self) { try configuration(arguments) }
        #expect(error?.text.chinese == expected)
        let help = SettingsHelp(language: .chinese).text
        for setting in Setting.all { #expect(help.contains(setting.meaning.chinese), "\(setting.key)") }
        #expect(!help.contains("default:"))
    }

    @Test("a file that is none ends it at once: nobody may ever write that pipe", .timeLimit(.minutes(1)))
    func pipe() throws {
        let temporary = try TemporaryDirectory()
        let path = "\(temporary.path)/pipe"
        #expect(mkfifo(path, 0o600) == 0)
        let error = #expect(throws: SettingsError.self) {
            try ServerConfiguration(flags: ["config": GivenValue(text: path, origin: .flag("--config"))], environment: [:])
        }
        #expect(error?.description == "--config: \(path): is no regular file: a pipe or a device cannot be used")
        #expect(throws: FileError(path: "/dev/null", code: FileError.notRegular)) { try File.read("/dev/null") }
        #expect(throws: FileError(path: temporary.path, code: EISDIR)) { try File.read(temporary.path) }
    }

    @Test("the store is named by --store, or its directory by --data")
    func store() throws {
        #expect(try configuration(["--store", "sqlite:/srv/psp"]).store == .sqlite(directory: "/srv/psp"))
        #expect(try configuration(environment: ["PSP_DATA": "/srv/psp"]).store == .sqlite(directory: "/srv/psp"))
        for uri in [
            "postgres://psp@db1:5432,db2:5432/psp?target_session_attrs=read-write", "postgresql:///psp?host=/run/postgresql",
            "postgres://db/psp?passfile=/etc/psp.pass", "postgres://db/a:b@c",
        ] {
            #expect(try configuration(["--store", uri]).store == .postgres(uri: uri))
        }
        for uri in ["sqlite://srv/psp", "sqlite:", "mysql://db/psp"] {
            #expect(throws: (any Error).self) { try configuration(["--store", uri]) }
        }
    }

    @Test("what means the same is given once, wherever it stands")
    func alternatives() {
        #expect(
            complaint(["--store", "sqlite:a", "--data", "b"]) == "--store and --data: only one of the two may be given")
        #expect(
            complaint(["--store", "postgres://db/psp"], environment: ["PSP_DATA": "b"])
                == "--store and PSP_DATA: only one of the two may be given")
        #expect(
            complaint(["--config", "f", "--admin-token-file", "t"], file: "admin-token: x")
                == "f:1: admin-token and --admin-token-file: only one of the two may be given")
    }

    @Test(
        "a password of the store stands in a file alone; no message repeats what was given",
        arguments: [
            "postgres://psp:hunter2@db/psp", "postgresql://psp:hunter2@db1,db2/psp", "postgres://db/psp?password=hunter2",
            "postgres://db/psp?sslmode=require&p%61ssword=hunter2", "postgres://db/psp?sslpassword=hunter2",
            "postgres://:hunter2@db/psp", "mysql://psp:hunter2@db/psp", "postgres://db/psp hunter2", "postgres:hunter2",
        ])
    func passwords(uri: String) throws {
        let complaint = try #require(self.complaint(["--store", uri]))
        #expect(complaint.hasPrefix("--store: expected ") && !complaint.contains("hunter2"), "\(complaint)")
        let isOfPassword = uri.hasPrefix("postgres") && !uri.contains(" ") && uri.contains("//")
        #expect(complaint.contains("--store-password-file") == isOfPassword)
    }

    @Test("a node is called as its host is, unless it has a name of its own")
    func node() throws {
        #expect(try configuration(["--node", "psp-1.a_B"]).node.text == "psp-1.a_B")
        for name in ["", "a b", "a/b", "节点", String(repeating: "a", count: 65)] {
            #expect(complaint(["--node", name])?.hasPrefix("--node: expected 1 to 64 letters, digits, ., _ or -") == true)
        }
        for (host, name) in [
            ("db-1.example", "db-1.example"), ("a b", "a-b"), ("", "node"), ("---", "node"),
            (String(repeating: "a", count: 70), String(repeating: "a", count: 64)),
        ] {
            #expect(NodeName(host: host).text == name)
        }
    }

    @Test("two listeners cannot have one port, unless it is any that is free")
    func sharedPorts() throws {
        func complaint(_ http: String, _ mqtt: String) throws -> String? {
            let settled = try configuration(["--http", http, "--mqtt", mqtt, "--admin", "127.0.0.1:9"])
            do throws(StartError) { try PortTrial.refuseSharedPorts(settled.listeners) } catch { return "\(error)" }
            return nil
        }
        for (http, mqtt) in [
            ("127.0.0.1:80", "127.0.0.1:80"), ("0.0.0.0:80", "127.0.0.1:80"), ("127.0.0.1:80", "[::]:80"),
            ("[::1]:80", "[::]:80"),
        ] {
            #expect(try complaint(http, mqtt) == "--http and --mqtt want the same port: \(http), \(mqtt)")
        }
        for (http, mqtt) in [
            ("127.0.0.1:80", "127.0.0.1:81"), ("127.0.0.1:80", "127.0.0.2:80"), ("0.0.0.0:80", "[::1]:80"),
            ("127.0.0.1:0", "127.0.0.1:0"),
        ] {
            #expect(try complaint(http, mqtt) == nil)
        }
        #expect(try complaint("127.0.0.1:9", "127.0.0.1:80")?.hasPrefix("--http and --admin") == true)
    }

    @Test("help and version are asked for wherever they stand")
    func help() throws {
        #expect(try Invocation(arguments: ["--window", "1", "--help"]) == .help)
        #expect(try Invocation(arguments: ["-h"]) == .help)
        #expect(try Invocation(arguments: ["--version"]) == .version)
        let given = ["loops": GivenValue(text: "2", origin: .flag("--loops"))]
        for arguments in [["--check", "--loops", "2"], ["--loops", "2", "--check"]] {
            #expect(try Invocation(arguments: arguments) == .check(given, triesPorts: true))
        }
        for arguments in [["--check=no-ports", "--loops", "2"], ["--loops", "2", "--check", "--check=no-ports"]] {
            #expect(try Invocation(arguments: arguments) == .check(given, triesPorts: false))
        }
    }

    @Test("the help shows every setting with its flag, variable, default and example")
    func helpIsComplete() {
        for setting in Setting.all {
            for part in [
                "\(setting.flag) \(setting.placeholder)", setting.environment, "default: \(setting.defaultText)",
                "example: \(setting.flag) \(setting.example)", setting.meaning.english,
            ] {
                #expect(SettingsHelp(language: .english).text.contains(part))
            }
        }
    }
}
