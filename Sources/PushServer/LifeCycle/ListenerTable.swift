internal import Base
internal import Glibc
internal import Libevent

/// The kernel's tables of sockets, `/proc/net/tcp` and `/proc/net/tcp6` (proc(5)): a line each, and those that listen before all
/// others.
enum ListenerTable {
    /// The sockets that are in the way of a listener on that address, as `/proc/PID/fd` names them.
    ///
    /// Whether a socket of `[::]` takes IPv4 as well, a table does not tell: it is asked about only where none of IPv4 is there.
    static func sockets(on address: SocketAddress) -> [String] {
        let v4 = sockets(on: address, in: "/proc/net/tcp")
        return !v4.isEmpty && !address.isIPv6 ? v4 : v4 + sockets(on: address, in: "/proc/net/tcp6")
    }

    /// Line by line, as far as its listeners go: beside a busy server a table has megabytes.
    static func sockets(on address: SocketAddress, in path: String) -> [String] {
        guard let table = fopen(path, "re") else { return [] }
        defer { fclose(table) }
        var line: UnsafeMutablePointer<CChar>?
        defer { free(line) }
        var capacity = 0
        var found: [String] = []
        // The first line has the columns' names.
        guard getline(&line, &capacity, table) > 0 else { return [] }
        while getline(&line, &capacity, table) > 0, let text = line.map({ String(cString: $0) }) {
            let fields = text.split(separator: " ")
            guard fields.count > 9, fields[3] == listening else { break }
            if Self.address(fields[1])?.overlaps(address) == true { found.append("socket:[\(fields[9])]") }
        }
        return found
    }

    /// The state of a socket that listens: TCP_LISTEN.
    private static let listening = "0A"

    /// Reads `0100007F:1F90`: each 32 bits of the address as the machine holds them, then the port, in hexadecimal digits.
    private static func address(_ text: Substring) -> SocketAddress? {
        let parts = text.split(separator: ":")
        guard parts.count == 2, let port = UInt16(parts[1], radix: 16) else { return nil }
        switch parts[0].utf8.count {
        case 8: return UInt32(parts[0], radix: 16).map { SocketAddress(IPAddress(v4: UInt32(bigEndian: $0)), port: port) }
        case 32:
            var rest = parts[0]
            var words: [UInt64] = []
            while !rest.isEmpty {
                guard let word = UInt32(rest.prefix(8), radix: 16) else { return nil }
                words.append(UInt64(UInt32(bigEndian: word)))
                rest = rest.dropFirst(8)
            }
            return SocketAddress(IPAddress(high: words[0] << 32 | words[1], low: words[2] << 32 | words[3]), port: port)
        default: return nil
        }
    }
}
