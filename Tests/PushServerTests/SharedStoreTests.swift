import Base
import Foundation
import Libevent
import MQTT
import Push
import TestKit
import Testing

@testable import PushServer

/// Gives the server a store that nodes share, as far as the server can tell.
private struct MemoryOpener: StoreOpener {
    let store: MemoryStore

    func judge(_ configuration: ServerConfiguration) throws(StartError) {}
    func open(_ configuration: ServerConfiguration) throws(StartError) -> any Store { store }
}

@Suite("A server whose store other nodes share", .timeLimit(.minutes(5)))
struct SharedStoreTests {
    private let store: MemoryStore

    init() {
        let lease = Lease { 0 }
        lease.beginTerm(until: .max)
        store = MemoryStore(lease: lease)
    }

    private var configuration: ServerConfiguration {
        var configuration = ServerConfiguration()
        (configuration.http, configuration.mqtt) = (.literal("127.0.0.1", 0), .literal("127.0.0.1", 0))
        configuration.admin = .literal("127.0.0.1", 0)
        configuration.loops = 2
        configuration.store = .postgres(uri: "postgres://db/psp")
        configuration.adminToken = "t"
        configuration.node = NodeName(host: "psp-1")
        // A device here connects until it is let in, and need not be slowed for it.
        configuration.reconnectsPerMinute = nil
        return configuration
    }

    private func start(_ configuration: ServerConfiguration) async throws(StartError) -> PushServer {
        try await PushServer.start(configuration, RunningLevel(.critical), .none, MemoryOpener(store: store))
    }

    /// What comes on a connection of its own.
    private func answer(of address: SocketAddress?, _ request: String, _ headers: String = "") throws -> String {
        let peer = try Peer(try #require(address))
        try peer.send("\(request) HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\(headers)\r\n")
        return try peer.receive()
    }

    @Test("serves though the store cannot be reached, and says that it is not ready; it begins as soon as it can")
    func unreachable() async throws {
        store.behave { $0.isUnreachable = true }
        let server = try await start(configuration)
        let addresses = server.addresses
        #expect(try answer(of: addresses.http, "GET /healthz").hasPrefix("HTTP/1.1 200 "))
        #expect(try answer(of: addresses.http, "GET /readyz").hasPrefix("HTTP/1.1 503 "))
        #expect(try answer(of: addresses.admin, "GET /readyz").contains(#""cause":"unreachable""#))
        // Of an app that this node has never heard of nobody can say that there is none.
        let push = try answer(
            of: addresses.http, "GET /psp/push/tasks",
            "appkey: a\r\ntimestamp: \(WallClock.milliseconds)\r\n"
                + "validation-token: \(String(repeating: "0", count: 32))\r\n")
        #expect(
            push.hasPrefix("HTTP/1.1 503 ") && push.contains("2302") && push.lowercased().contains("retry-after: "), "\(push)")
        let status = try answer(of: addresses.admin, "GET /psp/admin/status", "Authorization: Bearer t\r\n")
        #expect(status.contains(#""node":"psp-1""#) && status.contains(#""health":"unreachable""#), "\(status)")
        // Nor that an operator has no session.
        let other = try answer(of: addresses.admin, "GET /psp/admin/status", "Authorization: Bearer other\r\n")
        #expect(other.hasPrefix("HTTP/1.1 503 ") && other.contains("2302"), "\(other)")
        let login = #"{"name":"a","password":"b"}"#
        let refused = try answer(
            of: addresses.admin, "POST /psp/admin/sessions",
            "Content-Type: application/json\r\nContent-Length: \(login.utf8.count)\r\n\r\n\(login)")
        #expect(refused.hasPrefix("HTTP/1.1 503 "), "\(refused)")

        let loop = try EventLoop(name: "devices")
        loop.start()
        let mqtt = try #require(addresses.mqtt)
        let (device, connack) = try await ScriptedDevice.connect("d1", to: mqtt, on: loop, version: .v5)
        #expect(connack.reasonCode == .serverUnavailable)
        try await device.waitForClose()

        let organisation = OrgID(unchecked: "o")
        store.commit { log in ((), [log.putOrganisation(organisation)]) }
        store.commit { log in ((), [log.putDevice(DeviceToken(unchecked: "d1"), in: organisation)]) }
        store.behave { $0.isUnreachable = false }
        // Every loop, whichever the connections come to.
        for _ in 0..<8 {
            while true {
                let (device, connack) = try await ScriptedDevice.connect("d1", to: mqtt, on: loop)
                if connack.reasonCode == .success {
                    let row = store.push(to: .device(DeviceToken(unchecked: "d1")), payload: Array("a".utf8))
                    #expect(try await device.takeMessages(1).map(\.payload) == [row.payload])
                    break
                }
            }
        }
        while try !answer(of: addresses.http, "GET /readyz").hasPrefix("HTTP/1.1 200 ") {}
        #expect(
            try answer(of: addresses.admin, "GET /psp/admin/status", "Authorization: Bearer other\r\n")
                .hasPrefix("HTTP/1.1 401 "))
        #expect(await server.shutdown())
        await ScriptedDevice.closeAll(on: loop)
        loop.stop()
        loop.join()
    }

    @Test("is not ready before every loop knows the directory, though the store is reached")
    func beginning() async throws {
        store.behave { $0.isUnreachable = true }
        let server = try await start(configuration)
        store.behave { ($0.isUnreachable, $0.refusesFeeds) = (false, true) }
        for address in [server.addresses.http, server.addresses.admin] {
            #expect(try answer(of: address, "GET /readyz").hasPrefix("HTTP/1.1 503 "))
        }
        #expect(try answer(of: server.addresses.admin, "GET /readyz").contains("尚未读取目录"))
        store.behave { $0.refusesFeeds = false }
        while try !answer(of: server.addresses.http, "GET /readyz").hasPrefix("HTTP/1.1 200 ") {}
        #expect(await server.shutdown())
    }

    @Test("ends in order while the store cannot be reached")
    func end() async throws {
        store.behave { $0.isUnreachable = true }
        let server = try await start(configuration)
        #expect(await server.shutdown())
    }

    @Test("needs the operators' token from its settings, as each node would make another")
    func token() async throws {
        let temporary = try TemporaryDirectory()
        var configuration = configuration
        configuration.adminToken = nil
        var error = await #expect(throws: StartError.self) { try await start(configuration) }
        #expect(
            error?.description
                == "--store: a store that nodes share needs --admin-token-file (or --admin-token), the same on each")
        let file = "\(temporary.path)/token"
        configuration.adminTokenFile = file
        for (text, fault) in [
            (nil, "No such file or directory"), ("", "its first line is empty"), ("\nx", "its first line is empty"),
            ("two words", "no token: expected printable ASCII without spaces"),
        ] {
            if let text { try temporary.write(text, to: "token") }
            error = await #expect(throws: StartError.self) { try await start(configuration) }
            #expect(error?.description == "--admin-token-file: \(file): \(fault)")
        }
        try temporary.write("s3cret\r\nsecond\n", to: "token")
        let server = try await start(configuration)
        let status = try answer(of: server.addresses.admin, "GET /psp/admin/status", "Authorization: Bearer s3cret\r\n")
        #expect(status.hasPrefix("HTTP/1.1 200 "))
        #expect(await server.shutdown())
    }

    @Test("a password's file that cannot be read is told at the start")
    func password() async throws {
        var configuration = configuration
        configuration.storePasswordFile = "/nonexistent"
        var error = await #expect(throws: StartError.self) { try await start(configuration) }
        #expect(error?.description == "--store-password-file: /nonexistent: No such file or directory")
        configuration.store = .sqlite(directory: try TemporaryDirectory().path)
        error = await #expect(throws: StartError.self) { try await start(configuration) }
        #expect(error?.description == "--store-password-file: the embedded store has no password")
    }
}
