internal import Libevent

/// The server's sockets. They are bound, where they are not handed over, before anything else is made, so that a port in use ends
/// the start early.
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
    init(_ configuration: ServerConfiguration, inherited: InheritedSockets) throws(StartError) {
        let loops = configuration.loops
        http = try Self.open(configuration.http, count: loops, "http", inherited)
        mqtt = try Self.open(configuration.mqtt, count: loops, "mqtt", inherited)
        let operators = try Self.open(configuration.admin, count: 1, "admin", inherited)
        https = try Self.open(configuration.https, count: loops, "https", inherited)
        mqtts = try Self.open(configuration.mqtts, count: loops, "mqtts", inherited)
        admins = try Self.open(configuration.admins, count: 1, "admins", inherited).first
        admin = operators[0]
        addresses = ServerAddresses(
            http: http.first?.address, mqtt: mqtt.first?.address, admin: admin.address, https: https.first?.address,
            mqtts: mqtts.first?.address, admins: admins?.address)
    }

    /// - Returns: none for no address.
    private static func open(
        _ address: SocketAddress?, count: Int, _ name: String, _ inherited: InheritedSockets
    ) throws(StartError) -> [ListeningSocket] {
        if let sockets = try inherited.sockets(name, count: count) { return sockets }
        guard let address else { return [] }
        do throws(LibeventError) {
            return try ListeningSocket.bind(address, count: count)
        } catch {
            throw .cannotWork(error.text.after("--\(name)"))
        }
    }
}
