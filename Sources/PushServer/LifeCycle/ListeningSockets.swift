internal import Libevent

/// The server's sockets. They are bound before anything else is made, so that a port in use ends the start early.
struct ListeningSockets {
    /// One a loop, or none.
    let http: [ListeningSocket]
    /// One a loop, or none.
    let mqtt: [ListeningSocket]
    let admin: ListeningSocket
    /// With TLS: one a loop, or none.
    let https: [ListeningSocket]
    /// With TLS: one a loop, or none.
    let mqtts: [ListeningSocket]
    /// With TLS.
    let admins: ListeningSocket?

    let addresses: ServerAddresses

    /// - Throws: `cannotWork`, naming the setting.
    init(_ configuration: ServerConfiguration) throws(StartError) {
        let loops = configuration.loops
        http = try Self.bind(configuration.http, count: loops, "--http")
        mqtt = try Self.bind(configuration.mqtt, count: loops, "--mqtt")
        let operators = try Self.bind(configuration.admin, count: 1, "--admin")
        https = try Self.bind(configuration.https, count: loops, "--https")
        mqtts = try Self.bind(configuration.mqtts, count: loops, "--mqtts")
        admins = try Self.bind(configuration.admins, count: 1, "--admins").first
        admin = operators[0]
        addresses = ServerAddresses(
            http: http.first?.address, mqtt: mqtt.first?.address, admin: admin.address, https: https.first?.address,
            mqtts: mqtts.first?.address, admins: admins?.address)
    }

    /// - Returns: none for no address.
    private static func bind(
        _ address: SocketAddress?, count: Int, _ flag: String
    ) throws(StartError) -> [ListeningSocket] {
        guard let address else { return [] }
        do throws(LibeventError) {
            return try ListeningSocket.bind(address, count: count)
        } catch {
            throw .cannotWork("\(flag): \(error)")
        }
    }
}
