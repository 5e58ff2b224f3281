import Libevent
import Testing

@Suite("A full HTTP server")
struct HTTPCrowdTests {
    private static func request(_ path: String) -> String { "GET \(path) HTTP/1.1\r\nHost: h\r\n\r\n" }

    private func connect(_ count: Int, _ server: Describer, _ address: SocketAddress) async throws -> [RawSocket] {
        var clients: [RawSocket] = []
        for _ in 0..<count {
            let before = await server.connectionCount
            clients.append(try RawSocket(address))
            try await wait(until: "it is accepted") { await server.connectionCount > before }
        }
        return clients
    }

    @Test("the longest silent goes for a newcomer, by what it has said last")
    func longestSilent() async throws {
        try await withDescriber(limits: HTTPLimits(maxConnections: 3)) { server, address in
            let clients = try await connect(3, server, address)
            // The first is the youngest now, the second the oldest.
            try clients[0].send(Self.request("/first"))
            #expect(try clients[0].readAnswer().status == 200)
            var newcomers: [RawSocket] = []
            for index in [1, 2] {
                let newcomer = try RawSocket(address)
                newcomers.append(newcomer)
                try newcomer.send(Self.request("/new"))
                #expect(try newcomer.readAnswer().body == "get /new query=- framing=ok count=0 body=")
                #expect(try clients[index].readToEnd() == "")
                #expect(await server.connectionCount == 3)
            }
            // They are silent by now, but not for as long as the others.
            withExtendedLifetime(newcomers) {}
            try clients[0].send(Self.request("/again"))
            #expect(try clients[0].readAnswer().status == 200)
            #expect(await server.pressure.allSatisfy { $0 == .closedSilent })
        }
    }

    @Test("thousands of silent connections keep nobody out")
    func flood() async throws {
        try await withDescriber(limits: HTTPLimits(maxConnections: 64)) { server, address in
            let silent = try (0..<500).map { _ in try RawSocket(address) }
            let client = try RawSocket(address)
            try client.send(Self.request("/in"))
            #expect(try client.readAnswer().status == 200)
            #expect(await server.connectionCount <= 64)
            withExtendedLifetime(silent) {}
        }
    }

    @Test("where none is silent a newcomer hears that there is no room, with or without a body, until there is some")
    func surplus() async throws {
        try await withDescriber(limits: HTTPLimits(maxConnections: 2)) { server, address in
            let busy = try await connect(2, server, address)
            for client in busy { try client.send(Self.request("/keep")) }
            try await wait(until: "both are at work") { await server.keptCount == 2 }
            for request in [Self.request("/x"), "POST /x HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\n"] {
                let surplus = try RawSocket(address)
                try surplus.send(request)
                let answer = try surplus.readAnswer()
                #expect(answer.status == 503 && answer.body == "no room")
                #expect(answer.head.contains("\r\nConnection: close\r\n"))
                surplus.shutDownWriting()
                #expect(try surplus.readToEnd() == "")
            }
            #expect(await server.pressure == [.surplus, .surplus])
            let waiting = try RawSocket(address)
            try await wait(until: "it is accepted") { await server.pressure.count == 3 }
            await server.answerKept()
            for client in busy { #expect(try client.readAnswer().status == 200) }
            // One of the two leaves: now there is room for who waits.
            busy[0].shutDownWriting()
            #expect(try busy[0].readToEnd() == "")
            try await wait(until: "it has gone") { await server.connectionCount == 2 }
            try waiting.send(Self.request("/now"))
            #expect(try waiting.readAnswer().status == 200)
        }
    }

    @Test("who came when there was no room has no place to leave: the newcomer for whom it goes has none either")
    func surplusLeavesNoPlace() async throws {
        var limits = HTTPLimits(maxConnections: 2)
        let budget = ConnectionBudget(limit: 2)
        limits.budget = budget
        try await withDescriber(limits: limits) { server, address in
            let busy = try await connect(2, server, address)
            for client in busy { try client.send(Self.request("/keep")) }
            try await wait(until: "both are at work") { await server.keptCount == 2 }
            for number in 1...8 {
                let silent = try RawSocket(address)
                try await wait(until: "it is accepted") { await server.pressure.count == 2 * number - 1 }
                // By then it may be closed for another.
                let begin = ContinuousClock.now
                try await wait(until: "it was silent for a while") { ContinuousClock.now - begin > .milliseconds(150) }
                let newcomer = try RawSocket(address)
                try newcomer.send(Self.request("/new"))
                #expect(try newcomer.readAnswer().status == 503)
                withExtendedLifetime(silent) {}
            }
            #expect(budget.count == 2)
            await server.answerKept()
            for client in busy { #expect(try client.readAnswer().status == 200) }
        }
    }

    @Test("so many hear that there is no room, and no more: one beyond is closed")
    func dropped() async throws {
        try await withDescriber(limits: HTTPLimits(maxConnections: 1)) { server, address in
            let busy = try await connect(1, server, address)
            try busy[0].send(Self.request("/keep"))
            try await wait(until: "it is at work") { await server.keptCount == 1 }
            var surplus: [RawSocket] = []
            for number in 1...ConnectionBudget.surplus {
                let client = try RawSocket(address)
                // With half of a head it is not silent.
                try client.send("GET /half")
                try await wait(until: "it is accepted") { await server.pressure.count == number }
                surplus.append(client)
            }
            let last = try RawSocket(address)
            #expect(try last.readToEnd() == "")
            #expect(await server.pressure.last == .dropped)
            await server.answerKept()
            #expect(try busy[0].readAnswer().status == 200)
        }
    }

    @Test("heads that drip in go for a newcomer, when nobody is silent")
    func drippingHeads() async throws {
        try await withDescriber(limits: HTTPLimits(maxConnections: 4)) { server, address in
            let slow = try await connect(4, server, address)
            for client in slow { try client.send("GET /slow HTTP/1.1\r\nX") }
            let begin = ContinuousClock.now
            try await wait(until: "they are slow") { ContinuousClock.now - begin > .milliseconds(1200) }
            for client in slow { try client.send("x") }
            let newcomer = try RawSocket(address)
            try newcomer.send(Self.request("/new"))
            #expect(try newcomer.readAnswer().status == 200)
            #expect(await server.pressure == [.closedSilent])
            #expect(await server.connectionCount == 4)
        }
    }

    @Test("bodies of strangers that drip in go for a newcomer, those of others stay")
    func drippingBodies() async throws {
        let judge: @Sendable (HTTPRequestHead) -> HTTPBodyVerdict = { head in
            .accept(upTo: .max, isStranger: head.rawTarget == "/stranger")
        }
        try await withDescriber(limits: HTTPLimits(maxConnections: 4), judge: judge) { server, address in
            let all = try await connect(4, server, address)
            for (index, client) in all.enumerated() {
                let target = index == 2 ? "/stranger" : "/known"
                try client.send("POST \(target) HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\na")
            }
            let begin = ContinuousClock.now
            try await wait(until: "they are slow") { ContinuousClock.now - begin > .milliseconds(1200) }
            for client in all { try client.send("b") }
            let newcomer = try RawSocket(address)
            try newcomer.send(Self.request("/new"))
            #expect(try newcomer.readAnswer().status == 200)
            #expect(await server.pressure == [.closedSilent])
            for index in [0, 1, 3] {
                try all[index].send("cd")
                #expect(try all[index].readAnswer().status == 200)
            }
        }
    }

    /// On the plain way what the system's buffers take passes for read: there it takes a minute longer to see.
    @Test(
        "who does not read its answer goes for a newcomer, before anybody who is silent",
        .enabled(if: testedWay == .direct, "the plain way cannot tell the system's buffers from the peer"))
    func slowReaders() async throws {
        try await withDescriber(limits: HTTPLimits(maxConnections: 3)) { server, address in
            let clients = try await connect(3, server, address)
            // The second reads its answer as it comes, the third does not read; the first is silent for longest.
            for client in clients[1...] { try client.send(Self.request("/keep")) }
            try await wait(until: "both are at work") { await server.keptCount == 2 }
            await server.answerKept([UInt8](repeating: 120, count: 40 << 20))
            let begin = ContinuousClock.now
            var count = 0
            for piece in 1...15 {
                count += try clients[1].read(atMost: 1 << 20).count
                try await wait(until: "more is read") { ContinuousClock.now - begin > .milliseconds(100 * piece) }
            }
            let newcomer = try RawSocket(address)
            try newcomer.send(Self.request("/new"))
            #expect(try newcomer.readAnswer().status == 200)
            try clients[0].send(Self.request("/still"))
            #expect(try clients[0].readAnswer().status == 200)
            while count <= 40 << 20 {
                let piece = try clients[1].read(atMost: 1 << 20)
                if piece.isEmpty { break }
                count += piece.count
            }
            #expect(count > 40 << 20)
            #expect(await server.pressure == [.closedSilent])
            #expect(await server.connectionCount == 3)
        }
    }

    @Test("servers that share what the process has make room each among its own")
    func budget() async throws {
        var limits = HTTPLimits()
        let budget = ConnectionBudget(limit: 3)
        limits.budget = budget
        let shared = limits
        try await withDescriber(limits: shared) { one, first in
            try await withDescriber(limits: shared) { other, second in
                let clients = try await connect(2, one, first) + connect(1, other, second)
                #expect(budget.count == 3)
                let newcomer = try RawSocket(second)
                try newcomer.send(Self.request("/new"))
                #expect(try newcomer.readAnswer().status == 200)
                #expect(try clients[2].readToEnd() == "")
                #expect(await one.connectionCount == 2)
                #expect(budget.count == 3)
                await other.stop()
                #expect(budget.count == 2)
                withExtendedLifetime((clients, newcomer)) {}
            }
        }
        #expect(budget.count == 0)
    }

    @Test("listeners of one owner have one bound together")
    func sharedBound() async throws {
        try await withDescriber(limits: HTTPLimits(maxConnections: 2)) { server, first in
            let second = try await server.listen()
            let clients = try await connect(1, server, first) + connect(1, server, second)
            let newcomer = try RawSocket(second)
            try newcomer.send(Self.request("/new"))
            #expect(try newcomer.readAnswer().status == 200)
            #expect(try clients[0].readToEnd() == "")
            #expect(await server.connectionCount == 2)
            try clients[1].send(Self.request("/still"))
            #expect(try clients[1].readAnswer().status == 200)
        }
    }

    @Test("a request that nobody has read yet is no reason to send newcomers away while others are silent")
    func unreadFirst() async throws {
        try await withDescriber(limits: HTTPLimits(maxConnections: 40)) { server, address in
            let clients = try await connect(40, server, address)
            // Twenty that have waited for longest send something between the system's telling of a newcomer and its acceptance.
            nonisolated(unsafe) let all = clients
            nonisolated(unsafe) var newcomer: RawSocket?
            await server.onBusy {
                for client in all[..<20] { try client.send("G") }
            }
            try await server.doing {
                newcomer = try RawSocket(address)
                try all[39].send(Self.request("/busy"))
            }
            try newcomer?.send(Self.request("/new"))
            #expect(try newcomer?.readAnswer().status == 200)
            for client in clients[..<20] {
                try client.send("ET /first HTTP/1.1\r\nHost: h\r\n\r\n")
                #expect(try client.readAnswer().status == 200)
            }
            #expect(await server.pressure == [.closedSilent])
        }
    }
}
