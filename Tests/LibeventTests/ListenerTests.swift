import Base
import Glibc
import Libevent
import Testing

@testable import Libevent

@Suite("Listening")
struct ListenerTests {
    @Test(
        "a port that anybody listens on is in use, shared or not, by its address or by all of them",
        arguments: ["127.0.0.1", "0.0.0.0"])
    func inUse(host: String) throws {
        let sockets = try bindAnyPort(count: 2)
        let address = try SocketAddress(parsing: "\(host):\(sockets[0].address.port)")
        #expect(throws: LibeventError.addressInUse(address)) { try ListeningSocket.bind(address, count: 2) }
        withExtendedLifetime(sockets) {}
    }

    @Test("a port is free again at once, also after connections")
    func freeAgain() async throws {
        let address = try await withSwitchboard { board, address in
            let client = try RawSocket(address)
            try await wait(until: "it is accepted") { await board.count == 1 }
            // The server closes first, so that its end waits in TIME_WAIT.
            await board.close()
            #expect(try client.readToEnd() == "")
            return address
        }
        let again = try ListeningSocket.bind(address, count: 1)
        #expect(again[0].address == address)
    }

    @Test("an address that is not this machine's is an error of the system")
    func notOurs() throws {
        let address = try SocketAddress(parsing: "192.0.2.1:0")
        #expect(throws: LibeventError.system(call: "bind 192.0.2.1:0", code: EADDRNOTAVAIL)) {
            try ListeningSocket.bind(address, count: 1)
        }
    }

    @Test("data that nobody acknowledges ends a connection in the time that was said, on every connection that is accepted")
    func unacknowledgedData() throws {
        let socket = try ListeningSocket.bind(SocketAddress(parsing: "127.0.0.1:0"), count: 1)[0]
        try socket.limitUnacknowledgedData(to: .seconds(110))
        let client = try RawSocket(socket.address)
        let listening = socket.takeDescriptor()
        defer { close(listening) }
        let accepted = accept(listening, nil, nil)
        try #require(accepted >= 0)
        defer { close(accepted) }
        var (time, size) = (UInt32(0), socklen_t(4))
        #expect(getsockopt(accepted, Int32(IPPROTO_TCP), TCP_USER_TIMEOUT, &time, &size) == 0)
        #expect(time == 110_000)
        _ = client
    }

    @Test("loops that share a port each get connections")
    func sharedPort() async throws {
        try await withLoops(2) { loops in
            let sockets = try bindAnyPort(count: 2)
            #expect(sockets[0].address.port != 0)
            #expect(sockets[0].address == sockets[1].address)
            let boards = loops.map { Switchboard(on: $0) }
            for (board, socket) in zip(boards, sockets) { try await board.listen(on: socket) }
            let clients = try (0..<200).map { _ in try RawSocket(sockets[0].address) }
            try await wait(until: "all are accepted") {
                let counts = (await boards[0].count, await boards[1].count)
                return counts.0 + counts.1 == 200 && min(counts.0, counts.1) > 20
            }
            withExtendedLifetime(clients) {}
            for board in boards { await board.stop() }
        }
    }

    @Test("more connections than one pass accepts are all accepted")
    func many() async throws {
        try await withSwitchboard { board, address in
            let clients = try (0..<(3 * Listener.acceptsPerTurn + 1)).map { _ in try RawSocket(address) }
            let count = clients.count
            try await wait(until: "all are accepted") { await board.count == count }
            withExtendedLifetime(clients) {}
        }
    }

    @Test("stopping accepts what waits in the queue, and nothing after it")
    func stopping() async throws {
        try await withSwitchboard { board, address in
            let clients = Locked<[Int32]>([])
            try await board.stopBehind {
                for _ in 0..<100 {
                    let client = try RawSocket(address)
                    clients.withLock { $0.append(dup(client.descriptor)) }
                }
            }
            #expect(await board.count == 100)
            #expect(throws: LibeventError.system(call: "connect", code: ECONNREFUSED)) { try RawSocket(address) }
            await board.stopAccepting()
            for descriptor in clients.withLock({ $0 }) { close(descriptor) }
            try await wait(until: "all ended, none by a reset") { await board.events.count == 100 }
            #expect(await board.events.allSatisfy { $0.hasSuffix("endOfStream") })
        }
    }

    @Test("without descriptors a listener pauses, tells, and goes on when there are some again")
    func noDescriptors() async {
        await #expect(processExitsWith: .success) {
            let loop = try makeLoop()
            loop.start()
            let board = Switchboard(on: loop)
            let address = try await board.listen()
            let server = Describer(on: loop)
            let httpAddress = try await server.listen()
            let last = (try RawSocket(), try RawSocket())
            // As many sockets as there are descriptors, so that none is left to accept the last two with.
            var limit = rlimit(rlim_cur: 64, rlim_max: 64)
            setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
            var fillers: [RawSocket] = []
            while let filler = try? RawSocket() { fillers.append(filler) }
            try last.0.connect(to: address)
            try last.1.connect(to: httpAddress)
            try await wait(until: "both have told", byRuntime: false) {
                let (one, two) = (await board.acceptErrors, await server.acceptErrors)
                return one.contains(.system(call: "accept", code: EMFILE)) && two.contains(.system(call: "accept", code: EMFILE))
            }
            #expect(await board.count == 0)
            fillers.removeAll()
            try await wait(until: "it accepts again", byRuntime: false) { await board.count == 1 }
            try last.1.send("GET /x HTTP/1.1\r\nHost: h\r\n\r\n")
            guard try last.1.readAnswer().status == 200 else { exit(1) }
            withExtendedLifetime(last) {}
        }
    }

    @Test("10,000 connections, opened and closed in every way, leave nothing behind")
    func leaks() async {
        await #expect(processExitsWith: .success) {
            let loop = try makeLoop()
            loop.start()
            let board = Switchboard(on: loop)
            let address = try await board.listen()
            let server = Describer(on: loop)
            let httpAddress = try await server.listen()
            try await churn(500, board, address, server, httpAddress)
            let before = (try openSockets(), try residentBytes())
            try await churn(10_000, board, address, server, httpAddress)
            let after = (try openSockets(), try residentBytes())
            // The callback that has told the last one's end holds it until it returns.
            try await wait(until: "all are let go") {
                LiveObjects.number(of: Connection.self) == 0 && LiveObjects.number(of: HTTPConnection.self) == 0
                    && LiveObjects.number(of: HTTPExchange.self) == 0
            }
            guard after.0 == before.0 else { exit(3) }
            // 300 bytes for each connection would be 3 MB.
            guard isSanitized || after.1 - before.1 < 3_000_000 else { exit(4) }
            await board.stop()
            await server.stop()
            loop.stop()
            loop.join()
        }
    }
}

/// Opens and closes `count` connections: by their peer, by a reset, by us, after a flush, with input and output pending; and some
/// of HTTP.
private func churn(
    _ count: Int, _ board: Switchboard, _ address: SocketAddress, _ server: Describer, _ httpAddress: SocketAddress
) async throws {
    for number in 0..<count / 50 {
        do {
            let clients = try (0..<40).map { _ in try RawSocket(address) }
            try await wait(until: "they are accepted") { await board.count == 40 }
            for client in clients { try client.send("some input") }
            switch number % 5 {
            case 0: for client in clients { client.setReset() }
            case 1: await board.close()
            case 2: await board.closeAfterFlush(timeout: .seconds(10))
            case 3:
                await board.setReading(false)
                await board.send([UInt8](repeating: 1, count: 10_000))
                await board.setReading(true)
            default: await board.send([UInt8](repeating: 1, count: 100))
            }
            let web = try (0..<10).map { _ in try RawSocket(httpAddress) }
            for (index, client) in web.enumerated() {
                let request = [
                    "GET /x HTTP/1.1\r\nHost: h\r\n\r\n", "GET /drop HTTP/1.1\r\nHost: h\r\n\r\n",
                    "POST /x HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\n",
                    "nonsense\r\n\r\n",
                ]
                try client.send(request[index % 4])
                if index % 4 < 2 { _ = try client.readAnswer() }
            }
        }
        try await wait(until: "they are gone") {
            let counts = (await board.count, await server.connectionCount)
            return counts == (0, 0)
        }
    }
}

/// How many sockets the process has. (Other descriptors the runtime opens when it likes.)
private func openSockets() throws -> Int {
    guard let directory = opendir("/proc/self/fd") else { throw LibeventError.system(call: "opendir", code: errno) }
    defer { closedir(directory) }
    var count = 0
    while let entry = readdir(directory) {
        let name = withUnsafePointer(to: &entry.pointee.d_name) {
            String(cString: UnsafeRawPointer($0).assumingMemoryBound(to: CChar.self))
        }
        var target = [CChar](repeating: 0, count: 64)
        guard readlink("/proc/self/fd/\(name)", &target, target.count - 1) > 0 else { continue }
        if String(decoding: target.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self).hasPrefix("socket:") {
            count += 1
        }
    }
    return count
}

/// A sanitizer keeps freed memory for a while; AddressSanitizer looks for leaks itself.
private var isSanitized: Bool { dlsym(nil, "__asan_init") != nil || dlsym(nil, "__tsan_init") != nil }
