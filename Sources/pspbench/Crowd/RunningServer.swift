internal import Foundation
internal import Libevent

/// A push server on this machine, as it describes itself in its data directory.
struct RunningServer: Sendable {
    let http: SocketAddress
    let mqtt: SocketAddress
    let admin: SocketAddress
    let process: Int32
    let adminToken: String

    init(dataDirectory: String) throws {
        struct Announcement: Decodable {
            var http, mqtt, admin: String
            var pid: Int32
        }
        let directory = URL(fileURLWithPath: dataDirectory, isDirectory: true)
        let told = try JSONDecoder().decode(
            Announcement.self, from: Data(contentsOf: directory.appendingPathComponent("pspd.json")))
        http = try Self.reachable(told.http)
        mqtt = try Self.reachable(told.mqtt)
        admin = try Self.reachable(told.admin)
        process = told.pid
        adminToken = try String(contentsOf: directory.appendingPathComponent("admin.token"), encoding: .utf8)
            .trimmingCharacters(in: .whitespacesAndNewlines)
    }

    /// One that listens on every address is reached on loopback.
    private static func reachable(_ text: String) throws -> SocketAddress {
        let address = try SocketAddress(parsing: text)
        let loopback = ["0.0.0.0": "127.0.0.1", "::": "::1"][address.host]
        return loopback.flatMap { SocketAddress(host: $0, port: address.port) } ?? address
    }
}
