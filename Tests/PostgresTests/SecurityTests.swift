import Foundation
import PostgresCluster
import Testing

@testable import Postgres

@Suite("Passwords and TLS")
struct SecurityTests {
    @Test("a password comes from its file, which is read again for each session")
    func passwords() async throws {
        let access = ["host all postgres 127.0.0.1/32 trust", "host all all 127.0.0.1/32 scram-sha-256"]
        try await withPostgres(access: access) { server in
            try await withConnection(try options(server.address())) { admin in
                _ = try await admin.rows("create role psp login password 'first'")
                try server.write(["first"], to: "secret")
                let secret = try options(server.address(user: "psp")) { $0.passwordFile = "\(server.directory)/secret" }
                let missing = try options(server.address(user: "psp")) { $0.passwordFile = "\(server.directory)/nothing" }
                try await withConnections([secret, missing]) { peers in
                    let peer = peers[0]
                    try await peer.ready()
                    try await peers[1].lost("no file") { if case .password = $0 { true } else { false } }
                    _ = try await admin.rows("alter role psp password 'second'")
                    _ = try await admin.rows("select pg_terminate_backend(\(peer.session?.processID ?? 0))")
                    try await peer.lost("a refusal") { $0.description.contains("password authentication failed") }
                    #expect(!peer.losses.contains { $0.description.contains("second") })
                    try server.write(["second"], to: "secret")
                    try await eventually("another session") { peer.sessions.count == 2 }
                }
            }
        }
    }

    @Test("by TLS a server is trusted by its authority and its name, or not at all")
    func tls() async throws {
        let access = ["hostssl all all 127.0.0.1/32 trust"]
        let server = try await PostgresServer.make(access: access)
        let right = try await server.useTLS()
        let wrong = try await server.makeAuthority("stranger")
        try await server.start()
        func trusting(_ authority: String, at host: String = "127.0.0.1") throws -> PostgresOptions {
            try options("postgres://postgres@\(host):\(server.port)/postgres?sslmode=verify-full&sslrootcert=\(authority)")
        }
        let all = [
            try trusting(right), try trusting(wrong), try trusting(right, at: "localhost"),
            try options(server.address(["sslmode=disable"])),
        ]
        try await withConnections(all) { peers in
            try await peers[0].ready()
            #expect(peers[0].session?.isEncrypted == true)
            #expect(try await peers[0].number("select 1") == 1)
            try await peers[1].lost("the authority") { $0.description.contains("certificate verify failed") }
            try await peers[2].lost("the name") { $0.description.contains("does not match host name \"localhost\"") }
            try await peers[3].lost("in clear") { $0.description.contains("no pg_hba.conf entry") }
            // A large answer by TLS: libpq may hold bytes that the socket does not show.
            let large = PostgresCall(PostgresStatement("select repeat('x', 3000000)"))
            #expect(await peers[0].connection.call(large).rows?.byteCount == 3_000_000)
        }
        await server.remove()
    }
}
