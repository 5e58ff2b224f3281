import Base
import Glibc
import PostgresCluster
import Testing

@testable import Postgres

@Suite("Sessions")
struct SessionTests {
    @Test("a session tells which server it has and how")
    func session() async throws {
        try await withSharedPostgres { server in
            let own = try options(server.address()) {
                $0.settings = [("statement_timeout", "7s"), ("search_path", "pg_catalog, public")]
                $0.applicationName = "node 1"
            }
            try await withConnection(own) { peer in
                let session = try #require(peer.session)
                #expect(session.version >= 150_000)
                #expect(session.isInHotStandby == false && !session.isEncrypted)
                #expect(session.host == "127.0.0.1 port \(server.port)")
                let settings = try await peer.rows(
                    "select current_setting('statement_timeout'), current_setting('search_path'), "
                        + "current_setting('application_name'), pg_backend_pid()")
                #expect(try settings.text(0, 0) == "7s" && settings.text(0, 1) == "pg_catalog, public")
                #expect(try settings.text(0, 2) == "node 1" && settings.int4(0, 3) == session.processID)
            }
        }
    }

    @Test("the system watches the connection as the options say")
    func socketOptions() async throws {
        try await withSharedPostgres { server in
            try await withConnection(try options(server.address()) { $0.userTimeout = .milliseconds(1234) }) { peer in
                let descriptor = await peer.connection.descriptor
                #expect(socketOption(descriptor, IPPROTO_TCP, TCP_USER_TIMEOUT) == 1234)
                #expect(socketOption(descriptor, SOL_SOCKET, SO_KEEPALIVE) == 1)
                #expect(socketOption(descriptor, IPPROTO_TCP, TCP_KEEPIDLE) == 5)
                #expect(socketOption(descriptor, IPPROTO_TCP, TCP_KEEPINTVL) == 2)
                #expect(socketOption(descriptor, IPPROTO_TCP, TCP_KEEPCNT) == 3)
            }
        }
    }

    @Test("what others notify is told as it comes, also by a session after a loss")
    func notifications() async throws {
        try await withSharedPostgres { server in
            let listening = try options(server.address()) { $0.channels = ["bell", "odd \"name\""] }
            try await withConnections([listening, try options(server.address())]) { peers in
                for peer in peers { try await peer.ready() }
                _ = try await peers[1].rows("select pg_notify('bell', 'one'), pg_notify('odd \"name\"', '')")
                try await eventually("both") { peers[0].notifications.count == 2 }
                #expect(peers[0].notifications.map(\.channel) == ["bell", "odd \"name\""])
                #expect(peers[0].notifications[0].payload == "one")
                #expect(peers[0].notifications[0].processID == peers[1].session?.processID)
                let process = try #require(peers[0].session?.processID)
                _ = try await peers[1].rows("select pg_terminate_backend(\(process))")
                try await eventually("another session") { peers[0].sessions.count == 2 }
                _ = try await peers[1].rows("select pg_notify('bell', 'two')")
                try await eventually("the third") { peers[0].notifications.last?.payload == "two" }
            }
        }
    }

    @Test("a server that starts later is found, and one that comes back, too")
    func startsLater() async throws {
        let server = try await PostgresServer.make()
        try await withConnections([try options(server.address())]) { peers in
            let peer = peers[0]
            try await peer.lost("a refusal") { if case .refused = $0 { true } else { false } }
            #expect(await peer.call("select 1").unavailability != nil)
            try await server.start()
            try await peer.ready()
            await server.crash()
            try await eventually("the loss") { !peer.isReady }
            try await server.start()
            try await peer.ready()
            #expect(try await peer.number("select 1") == 1)
        }
        await server.remove()
    }

    @Test("a host that does not answer is left for the next")
    func silentHost() async throws {
        try await withPostgres { silent in
            silent.pause()
            try await withSharedPostgres { server in
                let both = try options("postgres://postgres@127.0.0.1:\(silent.port),127.0.0.1:\(server.port)/postgres") {
                    $0.connectTimeout = .milliseconds(100)
                }
                try await withConnection(both) { peer in
                    #expect(peer.session?.host == "127.0.0.1 port \(server.port)")
                    #expect(peer.losses.isEmpty)
                }
            }
            silent.resume()
        }
    }

    @Test("a name with several addresses is tried at each")
    func names() async throws {
        try await withSharedPostgres { server in
            // ::1 is one of them on most machines; nobody listens there.
            try await withConnection(try options("postgres://postgres@localhost:\(server.port)/postgres")) { peer in
                #expect(peer.session?.host == "localhost (127.0.0.1) port \(server.port)")
            }
        }
    }

    @Test("a name that nobody knows is a loss, and does not keep other hosts from being tried")
    func unknownName() async throws {
        try await withSharedPostgres { server in
            let unknown = try options("postgres://postgres@name.invalid/postgres")
            let both = try options("postgres://postgres@name.invalid,127.0.0.1:\(server.port)/postgres")
            try await withConnections([unknown, both]) { peers in
                try await peers[1].ready()
                try await peers[0].lost("the loss") { if case .unresolved = $0 { true } else { false } }
            }
        }
    }

    @Test("where no host does, each one's reason is told: a wrong password is not hidden by a host that is not there")
    func everyHost() async throws {
        try await withSharedPostgres { server in
            let hosts = "127.0.0.1:\(server.port),127.0.0.1:1"
            try await withConnections([try options("postgres://ghost@\(hosts)/postgres")]) { peers in
                try await peers[0].lost("both reasons") {
                    $0.description.contains("role \"ghost\" does not exist") && $0.description.contains("Connection refused")
                        && !$0.description.contains("\t")
                }
            }
        }
    }

    @Test("a setup that fails is a loss with the server's words")
    func setupFails() async throws {
        try await withSharedPostgres { server in
            let ghost = try options(server.address(user: "ghost"))
            let odd = try options(server.address()) { $0.settings = [("no_such_setting", "1")] }
            try await withConnections([ghost, odd]) { peers in
                try await peers[0].lost("the user") { $0.description.contains("role \"ghost\" does not exist") }
                try await peers[1].lost("the setting") { $0.description.contains("no_such_setting") }
            }
        }
    }

    @Test(
        "a refusal has the server's code, and its words without the place in its source",
        arguments: [
            ("role", "28000", "role \"ghost\" does not exist"), ("database", "3D000", "database \"ghost\" does not exist"),
            ("number", "53300", "too many connections for role \"few\""),
        ])
    func refusals(what: String, code: String, words: String) async throws {
        try await withSharedPostgres { server in
            if what == "number" {
                let admin = try await PostgresClient(try options(server.address()))
                try await admin.run("CREATE ROLE few LOGIN CONNECTION LIMIT 0")
                await admin.close()
            }
            let address =
                switch what {
                case "role": server.address(user: "ghost")
                case "database": "postgres://postgres@127.0.0.1:\(server.port)/ghost"
                default: server.address(user: "few")
                }
            try await withConnections([try options(address)]) { peers in
                try await peers[0].lost("the refusal") {
                    guard case .refused(_, let text, let state?) = $0 else { return false }
                    return state.description == code && text.hasSuffix("FATAL:  \(words)")
                }
            }
        }
    }

    @Test(
        "a failure's code is found in any language, and libpq's own words have none",
        arguments: [
            ("致命错误:  53300: 太多客户\nLOCATION:  InitProcess, proc.c:351", "致命错误:  太多客户", "53300"),
            (
                "to \"a\" failed: refused\nto \"b\" failed: FATAL:  57P03: the system is starting up\nLOCATION:  x, y.c:1",
                "to \"a\" failed: refused to \"b\" failed: FATAL:  the system is starting up", "57P03"
            ),
            (
                "connection to server at \"db1\" (10.0.0.1), port 5432 failed: FATAL:  53300: too many\nLOCATION:  x, y.c:1",
                "FATAL:  too many", "53300"
            ),
            ("connection to server on socket \"/x\" failed: No such file", "No such file", nil),
            ("fe_sendauth: no password supplied", "fe_sendauth: no password supplied", nil),
            ("a host:  lower: name", "a host:  lower: name", nil), ("", "", nil), (":  ", ":  ", nil),
        ] as [(String, String, String?)])
    func failure(message: String, text: String, state: String?) {
        let failure = LinkFailure(message)
        #expect(failure.text == text && failure.state?.description == state)
    }

    @Test("closing lets calls that were sent end, and is bounded where they do not")
    func closing() async throws {
        try await withPostgres { server in
            try await withConnections([try options(server.address()), try options(server.address())]) { peers in
                for peer in peers { try await peer.ready() }
                let quick = peers[0].begin("select pg_sleep(0.1)")
                let slow = peers[1].begin("select pg_sleep(60)", deadline: .seconds(100))
                await peers[0].connection.close(patience: .seconds(30))
                #expect(try await quick.outcome().rows?.count == 1)
                server.pause()
                await peers[1].connection.close(patience: .milliseconds(50))
                #expect(try await slow.outcome().doubt == .lost(.closed))
                server.resume()
                #expect(peers[0].connection.state == .closed && peers[1].connection.state == .closed)
                // Again, and one that never was open.
                await peers[0].connection.close()
            }
        }
    }
}
