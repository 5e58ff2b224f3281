import CLibevent
import Glibc
import Testing

@testable import Libevent

/// What the direct way relies on in libevent: if one of these fails, libevent no longer behaves so, and the plain way is the one
/// to take.
@Suite("What libevent does without promising it")
struct UnpromisedTests {
    /// An actor that has a server's parts at hand.
    private actor Bench {
        let loop: EventLoop
        nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }
        private var service: HTTPService?
        private var kept: [HTTPExchange] = []

        init(_ loop: EventLoop) { self.loop = loop }

        func listen() throws -> SocketAddress {
            let service = try HTTPService(
                on: loop, limits: HTTPLimits(), security: nil, judge: { _ in .accept(upTo: .max) },
                handler: { [unowned self] in kept.append($0) })
            let socket = try bindAnyPort()[0]
            try service.listeners.open(socket)
            self.service = service
            return socket.address
        }

        func stop() {
            kept.removeAll()
            service = nil
        }

        var keptCount: Int { kept.count }
        var connectionCount: Int { service?.connections.count ?? 0 }

        /// Whether evhttp's connection, as it was found, is the one of this bufferevent.
        var isEvhttpConnectionRight: Bool {
            service?.connections.values.allSatisfy { connection in
                guard let link = connection.link as? DirectLink else { return false }
                return evhttp_connection_get_bufferevent(link.evhttpConnection) == link.stream
            } == true
        }

        /// Answers, and tells whether it was done at once.
        func answer(_ body: [UInt8]) -> Bool {
            let exchange = kept.removeFirst()
            exchange.reply(status: 200, body: body)
            return service?.connections.values.first?.state == .idle
        }
    }

    private func withBench(_ body: @concurrent (Bench, SocketAddress) async throws -> Void) async throws {
        let loop = try EventLoop(name: "test", way: .direct)
        loop.start()
        let bench = Bench(loop)
        let result: Result<Void, any Error>
        do {
            let address = try await bench.listen()
            result = .success(try await body(bench, address))
        } catch { result = .failure(error) }
        await bench.stop()
        loop.stop()
        loop.join()
        try result.get()
    }

    private static let request = "GET /x HTTP/1.1\r\nHost: h\r\n\r\n"

    @Test("evhttp's connection is the context of its bufferevent's callbacks, before a byte has come")
    func connectionOfStream() async throws {
        try await withBench { bench, address in
            let clients = try (0..<3).map { _ in try RawSocket(address) }
            try await wait(until: "they are accepted") { await bench.connectionCount == 3 }
            #expect(await bench.isEvhttpConnectionRight)
            withExtendedLifetime(clients) {}
        }
    }

    @Test("a reply that was never started can be ended: the next request is taken")
    func replyEndWithoutStart() async throws {
        try await withBench { bench, address in
            let client = try RawSocket(address)
            for _ in 0..<3 {
                try client.send(Self.request)
                try await wait(until: "the request is there") { await bench.keptCount == 1 }
                #expect(await bench.answer([1, 2, 3]))
                #expect(try client.readAnswer().body == "\u{1}\u{2}\u{3}")
            }
        }
    }

    @Test("a refusal is answered past evhttp, which has part of the request")
    func refusal() async throws {
        try await withBench { bench, address in
            let client = try RawSocket(address)
            try client.send("POST /x HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n")
            try client.send("g\r\n")
            try await wait(until: "the refusal is asked for") { await bench.keptCount == 1 }
            _ = await bench.answer([])
            #expect(try client.readAnswer().head.contains("Connection: close"))
            #expect(try client.readToEnd() == "")
        }
    }

    @Test("an answer that the system takes in part is finished by evhttp's own callbacks, put back")
    func swappedCallbacks() async throws {
        try await withBench { bench, address in
            let client = try RawSocket(address)
            for _ in 0..<2 {
                try client.send(Self.request)
                try await wait(until: "the request is there") { await bench.keptCount == 1 }
                #expect(await !bench.answer([UInt8](repeating: UInt8(ascii: "x"), count: 16_000_000)))
                #expect(try client.readAnswer().body.utf8.count == 16_000_000)
            }
        }
    }

    @Test("the epoll instance of a base is the one that watches its descriptor")
    func epollDescriptor() throws {
        let main = try EventBase.make(usesChangelist: true)
        let probe = eventfd(0, Int32(EFD_CLOEXEC))
        defer {
            event_base_free(main)
            close(probe)
        }
        let base = try EventBase.make(usesChangelist: false)
        defer { event_base_free(base) }
        let found = try ConnectionBase.descriptor(of: base, probe: probe)
        var target = [CChar](repeating: 0, count: 64)
        #expect(readlink("/proc/self/fd/\(found)", &target, target.count - 1) > 0)
        #expect(String(decoding: target.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self).contains("eventpoll"))
        // It is readable when something in its base is.
        let connections = try ConnectionBase(in: main, probe: probe)
        defer { connections.free() }
        let event = event_new(connections.base, probe, Int16(EV_READ), { _, _, _ in }, nil)
        defer { event_free(event) }
        event_add(event, nil)
        #expect(!connections.hasWork)
        eventfd_write(probe, 1)
        event_base_loop(main, EVLOOP_ONCE | EVLOOP_NONBLOCK)
        #expect(connections.hasWork)
    }

    @Test("the way that is taken follows the version, and the setting")
    func way() throws {
        #expect(LibeventWay.best == .direct)
        #expect(LibeventWay.version.hasPrefix("2.1."))
        #expect(try EventLoop(name: "test").way == .direct)
        #expect(try EventLoop(name: "test", way: .plain).way == .plain)
    }
}
