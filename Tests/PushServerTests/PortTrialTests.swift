import Glibc
import Libevent
import Testing

@testable import PushServer

@Suite("Ports that are tried")
struct PortTrialTests {
    private static let columns =
        "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode"

    /// A table as the kernel writes it, with these local addresses and states; the inode is the line's number.
    private func sockets(on address: String, among lines: [(local: String, state: String)]) throws -> [String] {
        let temporary = try TemporaryDirectory()
        let path = "\(temporary.path)/tcp"
        let rows = lines.enumerated().map { number, line in
            "   \(number): \(line.local) 00000000:0000 \(line.state) 00000000:00000000 00:00000000 00000000     0        0 "
                + "\(number) 1 0 100 0"
        }
        try File.write(([Self.columns] + rows).joined(separator: "\n") + "\n", to: path, mode: 0o600)
        return ListenerTable.sockets(on: try SocketAddress(parsing: address), in: path)
    }

    @Test("a listener is found in a table of any size")
    func largeTable() throws {
        let others = (0..<12_000).map { (local: "0100007F:\(String(20_000 + $0, radix: 16, uppercase: true))", state: "0A") }
        #expect(try sockets(on: "127.0.0.1:8080", among: others + [("0100007F:1F90", "0A")]) == ["socket:[12000]"])
    }

    @Test("only what listens on that address, or on all of them, is in its way")
    func addresses() throws {
        let lines = [
            ("0100007F:1F90", "0A"), ("0100000A:1F90", "0A"), ("00000000:1F90", "0A"), ("0100007F:1F91", "0A"),
            ("00000000000000000000000001000000:1F90", "0A"), ("00000000000000000000000000000000:1F90", "0A"),
            ("0000000000000000FFFF00000100007F:1F90", "0A"), ("0100007F:1F90", "01"),
        ]
        #expect(try sockets(on: "127.0.0.1:8080", among: lines) == [0, 2, 5, 6].map { "socket:[\($0)]" })
        #expect(try sockets(on: "10.0.0.1:8080", among: lines) == [1, 2, 5].map { "socket:[\($0)]" })
        #expect(try sockets(on: "[::1]:8080", among: lines) == [4, 5].map { "socket:[\($0)]" })
        #expect(try sockets(on: "127.0.0.1:8081", among: lines) == ["socket:[3]"])
    }

    @Test("a socket of this process is found, with the process")
    func ownSocket() throws {
        let sockets = try ListeningSocket.bind(SocketAddress(parsing: "127.0.0.1:0"), count: 2)
        #expect(PortHolder.ofListeners(on: sockets[0].address).map { $0.map(\.pid) } == [[getpid()], [getpid()]])
    }

    @Test("a pspd, or what is not to be seen, may be the server itself; anybody else is in the way")
    func judgement() throws {
        let address = try SocketAddress(parsing: "127.0.0.1:8080")
        let (pspd, nginx) = (PortHolder(pid: 7, program: "pspd"), PortHolder(pid: 8, program: "nginx"))
        let end = ", which is fine if that is the server itself"
        func said(_ listeners: [[PortHolder]]) -> String {
            do throws(StartError) { return try PortTrial.note("http", address, listeners).english } catch {
                return "error: \(error)"
            }
        }
        #expect(said([[pspd], [pspd]]) == "--http: 127.0.0.1:8080 is in use by pspd (process 7)" + end)
        #expect(said([[]]) == "--http: 127.0.0.1:8080 is in use by a process that this user may not see" + end)
        #expect(said([[nginx]]) == "error: --http: 127.0.0.1:8080 is in use by nginx (process 8)")
        #expect(said([[pspd], [nginx]]) == "error: --http: 127.0.0.1:8080 is in use by pspd (process 7), nginx (process 8)")
        // Bound, but nobody listens: that is no server.
        #expect(said([]) == "error: --http: 127.0.0.1:8080 is in use")
    }
}
