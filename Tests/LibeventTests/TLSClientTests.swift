import Base
import Glibc
import Libevent
import Testing

@Suite("TLS clients")
struct TLSClientTests {
    @Test("calls that overlap are all answered, by a server that closes after each")
    func overlapping() async throws {
        try await withSecureServer { server, address in
            let security = try TLSClientContext(trusting: .anyone, for: .http)
            let client = HTTPClient(host: "127.0.0.1", port: address.port, on: server.loop, security: security)
            let bodies = Locked<[String]>([])
            // Each caller calls again while the others' calls wait.
            let callers = (0..<3).map { _ in
                Task {
                    for _ in 0..<3 {
                        let body = try await client.request(.get, "/close").body
                        bodies.withLock { $0.append(String(decoding: body, as: UTF8.self)) }
                    }
                }
            }
            try await wait(until: "all are answered", limit: .seconds(20)) { bodies.withLock { $0.count } == 9 }
            for caller in callers { try await caller.value }
            #expect(bodies.withLock { $0 } == Array(repeating: "bye", count: 9))
        }
    }

    @Test("a server that is not trusted is told each time, and no more when nobody listens there")
    func distrust() async throws {
        try await withLoop { loop in
            let server = Describer(on: loop)
            let address = try await server.listen(by: TLSSource(TestIdentity.context))
            let security = try TLSClientContext(trusting: .system, for: .http)
            let client = HTTPClient(host: "127.0.0.1", port: address.port, on: loop, security: security)
            for _ in 0..<2 {
                await #expect(throws: LibeventError.distrusted(.unknownAuthority)) { try await client.request(.get, "/") }
            }
            await server.stop()
            await #expect(throws: LibeventError.disconnected) { try await client.request(.get, "/") }
        }
    }

    @Test("a handshake with a server that says nothing has the time of its socket")
    func silence() throws {
        let listening = try bindAnyPort()[0]
        let socket = try RawSocket(listening.address)
        var time = timeval(tv_sec: 0, tv_usec: 50_000)
        setsockopt(socket.descriptor, SOL_SOCKET, SO_RCVTIMEO, &time, socklen_t(MemoryLayout<timeval>.size))
        let security = try TLSClientContext(trusting: .anyone, for: .http)
        #expect(throws: TLSDistrust.failure(reason: "no answer in time")) {
            try TLSClientStream(over: socket.descriptor, to: "test", by: security)
        }
    }
}
