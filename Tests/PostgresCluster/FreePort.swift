import Base
import Foundation

/// Ports of 127.0.0.1 that stay a test's while nobody listens on them: a server may end there and come back.
///
/// They are taken in turn from below those that the kernel gives to connections, so that no connection of another test has one.
/// Where the kernel gives all (`net.ipv4.ip_local_port_range`), one of them has to do.
enum FreePort {
    private static let last = Locked<Int?>(nil)

    static func next() throws -> UInt16 {
        let ports = try candidates()
        if ports.isEmpty, let port = bound(to: 0) { return port }
        for _ in ports {
            let port = last.withLock { last in
                let next = last.map { $0 + 1 } ?? ports.randomElement() ?? ports.lowerBound
                last = ports.contains(next) ? next : ports.lowerBound
                return UInt16(last ?? ports.lowerBound)
            }
            if bound(to: port) != nil { return port }
        }
        throw Failure(description: "all ports of \(ports) are taken")
    }

    private static func candidates() throws -> Range<Int> {
        let range = try String(contentsOfFile: "/proc/sys/net/ipv4/ip_local_port_range", encoding: .utf8)
        let lowest = range.split(whereSeparator: \.isWhitespace).first.flatMap { Int($0) } ?? 0
        return lowest < 16384 ? 0..<0 : 10240..<lowest
    }

    /// The port that a socket had for a moment; `nil`: somebody has it.
    private static func bound(to port: UInt16) -> UInt16? {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(descriptor) }
        var reuse: Int32 = 1
        setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &reuse, socklen_t(MemoryLayout<Int32>.size))
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = in_addr_t(0x7F00_0001).bigEndian
        address.sin_port = port.bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let result = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, length) == 0 ? getsockname(descriptor, $0, &length) : -1
            }
        }
        return result == 0 ? UInt16(bigEndian: address.sin_port) : nil
    }
}
