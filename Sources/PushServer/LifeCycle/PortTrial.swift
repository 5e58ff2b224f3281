internal import Libevent
internal import Push

/// Whether the listeners of a configuration could be bound on this machine, found out without listening anywhere.
enum PortTrial {
    /// - Parameter triesPorts: `false`: only what the addresses themselves say is judged.
    /// - Returns: what whoever asks should know, although it is no obstacle.
    /// - Throws: `cannotWork`, naming the setting.
    static func notes(of configuration: ServerConfiguration, triesPorts: Bool) throws(StartError) -> [BilingualText] {
        try refuseSharedPorts(configuration.listeners)
        var notes: [BilingualText] = []
        for (name, address) in triesPorts ? configuration.listeners : [] {
            do throws(LibeventError) {
                try ListeningSocket.tryBinding(address)
            } catch .addressInUse {
                notes.append(try note(name, address, PortHolder.ofListeners(on: address)))
            } catch {
                throw .cannotWork(error.text.after("--\(name)"))
            }
        }
        return notes
    }

    /// Two listeners that want one port: the second would find it in use, by its own process.
    static func refuseSharedPorts(_ listeners: [(name: String, address: SocketAddress)]) throws(StartError) {
        for (index, second) in listeners.enumerated() {
            for first in listeners[..<index] where first.address.overlaps(second.address) {
                throw .cannotWork(
                    BilingualText(
                        "--\(first.name) 和 --\(second.name) 使用同一个端口：\(first.address)、\(second.address)",
                        "--\(first.name) and --\(second.name) want the same port: \(first.address), \(second.address)"))
            }
        }
    }

    /// A `pspd` that runs may be the one that is asked about, and systemd hands its socket over; so may one that
    /// is not to be seen. Anybody else is in the way.
    /// - Parameter listeners: of each socket that listens there, who has it; nobody where that is not to be seen.
    static func note(
        _ name: String, _ address: SocketAddress, _ listeners: [[PortHolder]]
    ) throws(StartError) -> BilingualText {
        var words: [BilingualText] = []
        for holder in listeners.joined() {
            let text = BilingualText("\(holder.program)（进程 \(holder.pid)）", "\(holder.program) (process \(holder.pid))")
            if !words.contains(text) { words.append(text) }
        }
        if listeners.contains([]) { words.append(BilingualText("当前用户无权查看的进程", "a process that this user may not see")) }
        let chinese = words.map(\.chinese).joined(separator: "、")
        let english = words.map(\.english).joined(separator: ", ")
        let mayBeOwn = listeners.allSatisfy { $0.isEmpty || $0.contains { ["pspd", "systemd"].contains($0.program) } }
        guard mayBeOwn, !listeners.isEmpty else {
            throw .cannotWork(
                BilingualText(
                    "\(address) 已被\(words.isEmpty ? "" : " \(chinese) ")占用",
                    "\(address) is in use" + (words.isEmpty ? "" : " by \(english)")
                ).after("--\(name)"))
        }
        return BilingualText(
            "\(address) 正由 \(chinese) 使用；如果它就是所问的服务，则没有问题",
            "\(address) is in use by \(english), which is fine if that is the server itself"
        ).after("--\(name)")
    }
}

extension ServerConfiguration {
    /// The listeners that are not off, by their settings' names.
    var listeners: [(name: String, address: SocketAddress)] {
        let all = [("http", http), ("mqtt", mqtt), ("admin", admin), ("https", https), ("mqtts", mqtts), ("admins", admins)]
        return all.compactMap { name, address in address.map { (name, $0) } }
    }
}

extension SocketAddress {
    /// Whether both cannot be bound at once: one port, and one address or all of them. `[::]` is all of IPv4 as well, and port 0
    /// any that is free.
    func overlaps(_ other: SocketAddress) -> Bool {
        guard port == other.port, port != 0 else { return false }
        return ip == other.ip || [self, other].contains { $0.isUnspecified && ($0.isIPv6 || isIPv6 == other.isIPv6) }
    }

    private var isUnspecified: Bool { ip.high == 0 && ip.low == 0 }
}
