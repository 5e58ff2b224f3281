import Libevent
import Testing

/// The addresses of a ready line.
struct ReadyLine {
    let http: SocketAddress
    let mqtt: SocketAddress
    let admin: SocketAddress

    init(_ line: String?) throws {
        let line = try #require(line)
        let match = try #require(line.wholeMatch(of: /ready http=(\S+) mqtt=(\S+) admin=(\S+)( \w+=\S+)*/), "\(line)")
        http = try SocketAddress(parsing: String(match.1))
        mqtt = try SocketAddress(parsing: String(match.2))
        admin = try SocketAddress(parsing: String(match.3))
    }
}
