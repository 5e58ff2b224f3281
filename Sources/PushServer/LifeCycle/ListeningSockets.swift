internal import Libevent

/// The server's sockets. They are bound before anything else is made, so that a port in use ends the start early.
struct ListeningSockets {
    /// One a loop.
    let http: [ListeningSocket]
    /// One a loop.
    let mqtt: [ListeningSocket]
    let admin: ListeningSocket

    let addresses: ServerAddresses

    /// - Throws: `cannotWork`, naming the setting.
    init(_ configuration: ServerConfiguration) throws(StartError) {
        http = try Self.bind(configuration.http, count: configuration.loops, "--http")
        mqtt = try Self.bind(configuration.mqtt, count: configuration.loops, "--mqtt")
        admin = try Self.bind(configuration.admin, count: 1, "--admin")[0]
        addresses = ServerAddresses(http: http[0].address, mqtt: mqtt[0].address, admin: admin.address)
    }

    private static func bind(_ address: SocketAddress, count: Int, _ flag: String) throws(StartError) -> [ListeningSocket] {
        do throws(LibeventError) {
            return try ListeningSocket.bind(address, count: count)
        } catch {
            throw .cannotWork("\(flag): \(error)")
        }
    }
}
