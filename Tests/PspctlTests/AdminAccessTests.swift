import Foundation
import Testing

@testable import pspctl

@Suite("Which server is called, and on whose behalf")
struct AdminAccessTests {
    private let directory = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString).path
    private var environment: [String: String] { ["PSP_DATA": directory, "PSPCTL_SESSION": "\(directory)/session.json"] }
    private let session = LoginSession(
        endpoint: Endpoint(host: "localhost", port: 8081), name: "sue", token: "sues", expiresAt: 100, authorities: "/etc/ca.pem")

    /// A data directory of a server on this machine.
    private func prepare() throws {
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        try #"{"admin":"127.0.0.1:8081"}"#.write(toFile: "\(directory)/pspd.json", atomically: true, encoding: .utf8)
        try "all\n".write(toFile: "\(directory)/admin.token", atomically: true, encoding: .utf8)
    }

    private func access(_ arguments: String..., token: String? = nil, now: Int64 = 1) throws -> AdminAccess {
        var environment = environment
        environment["PSP_ADMIN_TOKEN"] = token
        return try AdminAccess(ServerOptions.parse(arguments), environment: environment, now: now)
    }

    @Test("the installation's token is used where nobody has logged in")
    func installation() throws {
        try prepare()
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let found = try access()
        #expect(found.token == .installation("all", file: "\(directory)/admin.token") && "\(found.endpoint)" == "127.0.0.1:8081")
    }

    @Test("a session is used whichever name of this machine it was begun under, and never the installation's token instead")
    func ofLogin() throws {
        try prepare()
        defer { try? FileManager.default.removeItem(atPath: directory) }
        try session.keep(environment: environment)
        #expect(try LoginSession.kept(environment: environment) == session)
        #expect(try access().token == .session(session) && access().endpoint == session.endpoint)
        #expect(try access("--data", directory).token == .session(session))
        #expect(try access("--admin", "127.0.0.1:8081").token == .session(session))
        let elsewhere = Endpoint(host: "10.0.0.5", port: 8081)
        #expect(throws: Failure.loggedInElsewhere(name: "sue", at: session.endpoint, called: elsewhere)) {
            try access("--admin", "10.0.0.5:8081")
        }
        #expect(throws: Failure.sessionEnded(name: "sue")) { try access(now: 100) }
        #expect(Failure.loggedInElsewhere(name: "sue", at: session.endpoint, called: elsewhere).description.contains("logout"))
    }

    @Test("a data directory of the environment names a server as --data does, where one has been")
    func ofTheEnvironment() throws {
        try prepare()
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let elsewhere = LoginSession(
            endpoint: Endpoint(host: "10.0.0.5", port: 8081), name: "sue", token: "sues", expiresAt: 100, authorities: nil)
        try elsewhere.keep(environment: environment)
        let called = Endpoint(host: "127.0.0.1", port: 8081)
        #expect(throws: Failure.loggedInElsewhere(name: "sue", at: elsewhere.endpoint, called: called)) { try access() }
        try FileManager.default.removeItem(atPath: "\(directory)/pspd.json")
        #expect(try access().endpoint == elsewhere.endpoint)
    }

    @Test("a server whose settings are in the environment is found by them: where its store is, and where it listens")
    func bySettings() throws {
        try prepare()
        defer { try? FileManager.default.removeItem(atPath: directory) }
        func endpoint(_ environment: [String: String], _ arguments: String...) throws -> String {
            let own = ["PSPCTL_SESSION": "\(directory)/none.json", "PSP_ADMIN_TOKEN": "t"].merging(environment) { $1 }
            return "\(try AdminAccess(ServerOptions.parse(arguments), environment: own, now: 1).endpoint)"
        }
        #expect(try endpoint(["PSP_STORE": "sqlite:\(directory)"]) == "127.0.0.1:8081")
        let shared = ["PSP_STORE": "postgres://db/psp"]
        #expect(try endpoint(shared) == "127.0.0.1:8081")
        #expect(try endpoint(shared.merging(["PSP_ADMIN": "0.0.0.0:9"]) { $1 }) == "127.0.0.1:9")
        #expect(try endpoint(shared.merging(["PSP_ADMIN": "0.0.0.0:9"]) { $1 }, "--data", directory) == "127.0.0.1:8081")
        #expect(throws: Failure.self) { try endpoint(["PSP_STORE": "sqlite:/nowhere"]) }
    }

    @Test("a copy of the files is refused where there are none, with how a shared store is backed up")
    func noFiles() throws {
        try prepare()
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let options = try DirectoryOptions.parse(["--data", directory])
        #expect(throws: Failure.notEmbedded(directory: directory)) { try options.pathOfEmbeddedStore(environment: [:]) }
        let unnamed = try DirectoryOptions.parse([])
        let shared = ["PSP_STORE": "postgres://db/psp"]
        #expect(throws: Failure.notEmbedded(directory: nil)) { try unnamed.pathOfEmbeddedStore(environment: shared) }
        #expect(Failure.notEmbedded(directory: "d").description.contains("docs/cluster.md"))
        try "".write(toFile: "\(directory)/psp.db", atomically: true, encoding: .utf8)
        #expect(try options.pathOfEmbeddedStore(environment: [:]) == directory)
    }

    @Test("a token is read from the first line of a file, after one that is given itself")
    func fromAFile() throws {
        try prepare()
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let file = "\(directory)/token"
        try "mine\nnot this\n".write(toFile: file, atomically: true, encoding: .utf8)
        #expect(try access("--admin-token-file", file).token == .given("mine"))
        let set = environment.merging(["PSP_ADMIN_TOKEN_FILE": file]) { $1 }
        #expect(try AdminAccess(ServerOptions.parse([]), environment: set, now: 1).token == .given("mine"))
        #expect(try access("--admin-token-file", file, token: "other").token == .given("mine"))
        #expect(try access("--admin-token-file", file, "--admin-token", "first").token == .given("first"))
        #expect(throws: Failure.self) { try access("--admin-token-file", "\(directory)/none") }
    }

    @Test("a token that is given goes before a session")
    func given() throws {
        try prepare()
        defer { try? FileManager.default.removeItem(atPath: directory) }
        try session.keep(environment: environment)
        #expect(try access("--admin-token", "mine", "--admin", "10.0.0.5:8081").token == .given("mine"))
        #expect(try access(token: "mine").token == .given("mine"))
    }

    @Test("the authorities are those that are named, else those of the log-in at that host")
    func authorities() throws {
        try prepare()
        defer { try? FileManager.default.removeItem(atPath: directory) }
        try session.keep(environment: environment)
        let options = try ServerOptions.parse([])
        #expect(options.authorities(for: session.endpoint, environment) == "/etc/ca.pem")
        #expect(options.authorities(for: session.endpoint, environment.merging(["PSP_CA": "b"]) { $1 }) == "b")
        #expect(try ServerOptions.parse(["--ca", "c"]).authorities(for: session.endpoint, environment) == "c")
        #expect(options.authorities(for: Endpoint(host: "10.0.0.5", port: 8081), environment) == nil)
    }
}
