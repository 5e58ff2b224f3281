internal import Glibc
internal import Libevent
internal import Push

/// Sockets that systemd, or who does as it does, has bound and hands to this process (sd_listen_fds(3)): from descriptor 3 on,
/// named as the listeners' settings are. They stay with systemd, so that nobody is refused while the server restarts.
struct InheritedSockets {
    /// Descriptors by the names of listeners.
    let descriptors: [String: Int32]

    static let none = InheritedSockets(descriptors: [:])
    private static let names = ["http", "mqtt", "admin", "https", "mqtts", "admins"]
    private static let first: Int32 = 3

    private init(descriptors: [String: Int32]) { self.descriptors = descriptors }

    /// - Parameter environment: the process's. What is meant for another process, which has handed its environment on, is left
    ///   alone.
    /// - Throws: `cannotWork`, for names that no listener has.
    init(_ environment: [String: String], pid: Int32 = getpid()) throws(StartError) {
        guard let count = environment["LISTEN_FDS"].flatMap({ Int32($0) }), count > 0,
            environment["LISTEN_PID"].flatMap({ Int32($0) }) == pid
        else {
            self = .none
            return
        }
        let names = (environment["LISTEN_FDNAMES"] ?? "").split(separator: ":", omittingEmptySubsequences: false).map(String.init)
        guard names.count == Int(count) else {
            throw .cannotWork(
                BilingualText(
                    "应为 \(count) 个名称：每个 socket 单元的 FileDescriptorName=",
                    "expected \(count) names: FileDescriptorName= of each socket unit"
                ).after("LISTEN_FDNAMES"))
        }
        var found: [String: Int32] = [:]
        for (index, name) in names.enumerated() {
            guard Self.names.contains(name), found[name] == nil else {
                let names = Self.names.joined(separator: ", ")
                throw .cannotWork(
                    BilingualText(
                        "应为 \(names)，每个最多一次，而不是 \(name.debugDescription)",
                        "expected each of \(names) once at most, not \(name.debugDescription)"
                    ).after("LISTEN_FDNAMES"))
            }
            found[name] = Self.first + Int32(index)
        }
        descriptors = found
    }

    /// The sockets of a listener.
    /// - Returns: `nil` where none was handed over.
    func sockets(_ name: String, count: Int) throws(StartError) -> [ListeningSocket]? {
        guard let descriptor = descriptors[name] else { return nil }
        do throws(LibeventError) {
            return try ListeningSocket.inherited(descriptor, count: count)
        } catch {
            throw .cannotWork(
                BilingualText(
                    "交来的套接字 \(name) 不是 TCP 的监听套接字：\(error.text.chinese)",
                    "the socket \(name) that was handed over is no listening socket of TCP: \(error.text.english)"))
        }
    }

    /// The settings as they are with these sockets: they take the place of addresses, and of `off`.
    func applied(to configuration: ServerConfiguration) throws(StartError) -> ServerConfiguration {
        var configuration = configuration
        if let socket = try sockets("http", count: 1)?.first { configuration.http = socket.address }
        if let socket = try sockets("mqtt", count: 1)?.first { configuration.mqtt = socket.address }
        if let socket = try sockets("admin", count: 1)?.first { configuration.admin = socket.address }
        if let socket = try sockets("https", count: 1)?.first { configuration.https = socket.address }
        if let socket = try sockets("mqtts", count: 1)?.first { configuration.mqtts = socket.address }
        if let socket = try sockets("admins", count: 1)?.first { configuration.admins = socket.address }
        return configuration
    }
}
