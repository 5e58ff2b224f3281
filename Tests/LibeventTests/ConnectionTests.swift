import Glibc
import Libevent
import Testing

@Suite("Connections")
struct ConnectionTests {
    @Test("what is sent arrives whole and in order, straight or through the buffer")
    func order() async throws {
        try await withSwitchboard { board, address in
            let client = try RawSocket(address)
            try await wait(until: "it is accepted") { await board.count == 1 }
            // Far more than the system's buffers take: the first frames go straight, the rest waits until the client reads.
            let frames = (0..<4000).map { number in [UInt8](repeating: UInt8(truncatingIfNeeded: number), count: 4000) }
            await board.sendMany(frames)
            #expect(await board.outputCounts[0] > 0)
            #expect(await board.events.isEmpty)
            #expect(try client.read(exactly: 4000 * 4000) == Array(frames.joined()))
            try await wait(until: "the buffer is empty") { await board.events == ["drain"] }
            await board.send(Array("straight".utf8))
            #expect(await board.outputCounts == [0])
            #expect(try client.read(exactly: 8) == Array("straight".utf8))
            #expect(await board.events == ["drain"])
        }
    }

    @Test("a small frame goes straight to the system")
    func direct() async throws {
        try await withSwitchboard { board, address in
            let client = try RawSocket(address)
            try await wait(until: "it is accepted") { await board.count == 1 }
            for number in 0..<100 {
                await board.send([UInt8(number)])
                #expect(await board.outputCounts == [0])
            }
            #expect(try client.read(exactly: 100) == Array(0..<100))
            #expect(await board.events.isEmpty)
        }
    }

    @Test("input that is left is shown again with what follows")
    func leftInput() async throws {
        try await withSwitchboard { board, address in
            let client = try RawSocket(address)
            try await wait(until: "it is accepted") { await board.count == 1 }
            await board.consume(atMost: 3)
            try client.send("abcde")
            try await wait(until: "it read") { await board.events == ["read 3"] }
            await board.consume(atMost: 100)
            try client.send("fg")
            try await wait(until: "it read again") { await board.events == ["read 3", "read 4"] }
            #expect(await board.received == Array("abcdefg".utf8))
        }
    }

    @Test("reading can be turned off; what was left and what has come is told when it is on again")
    func reading() async throws {
        try await withSwitchboard { board, address in
            let client = try RawSocket(address)
            try await wait(until: "it is accepted") { await board.count == 1 }
            await board.consume(atMost: 1)
            try client.send("ab")
            try await wait(until: "it read") { await board.events == ["read 1"] }
            await board.setReading(false)
            try client.send("cd")
            usleep(20_000)
            #expect(await board.events == ["read 1"])
            await board.consume(atMost: 1)
            await board.setReading(true)
            await board.setReading(true)
            try await wait(until: "it read what was left") { await board.received.count >= 2 }
            await board.consume(atMost: nil)
            try client.send("e")
            try await wait(until: "all is read") { await board.received == Array("abcde".utf8) }
        }
    }

    @Test(
        "timers, as listeners and callers, do not wait until everything that has come on connections is read",
        .enabled(if: testedWay == .direct, "it is what the second event base is for"))
    func mainBaseGoesFirst() async throws {
        try await withSwitchboard { board, address in
            let devices = try (0..<20).map { _ in try RawSocket(address) }
            let count = devices.count
            try await wait(until: "all are accepted") { await board.count == count }
            try await board.readSlowly(3000, from: devices.map(\.descriptor), timer: .milliseconds(10))
            try await wait(until: "everything is read") { await board.received.count == count }
            let events = await board.events
            #expect(events.firstIndex(of: "timer").map { (1..<count).contains($0) } == true, "\(events)")
            withExtendedLifetime(devices) {}
        }
    }

    @Test("what the peer does while reading is off is told afterwards: its input, then its end", arguments: [false, true])
    func endWhileNotReading(more: Bool) async throws {
        try await withSwitchboard { board, address in
            do {
                let client = try RawSocket(address)
                try await wait(until: "it is accepted") { await board.count == 1 }
                await board.setReading(false)
                try client.send("ab")
                usleep(20_000)
                if more { try client.send("c") }
            }
            usleep(20_000)
            #expect(await board.events == [])
            await board.setReading(true)
            try await wait(until: "the end is told") { await board.events.last == "close 0 endOfStream" }
            #expect(await board.received == Array((more ? "abc" : "ab").utf8))
        }
    }

    @Test("input beyond the limit waits in the system")
    func inputLimit() async throws {
        try await withSwitchboard { board, address in
            let client = try RawSocket(address)
            try await wait(until: "it is accepted") { await board.count == 1 }
            await board.consumeNothing(true)
            await board.setInputLimit(1000)
            try client.send([UInt8](repeating: 7, count: 5000))
            usleep(30_000)
            await board.consumeNothing(false)
            await board.setReading(false)
            await board.setReading(true)
            try await wait(until: "all of it came, the limit at a time") { await board.received.count == 5000 }
        }
    }

    @Test("the end is told once, with its reason")
    func end() async throws {
        try await withSwitchboard { board, address in
            do { _ = try RawSocket(address) }
            try await wait(until: "the peer's end is told") { await board.events == ["close 0 endOfStream"] }
            do {
                let client = try RawSocket(address)
                try await wait(until: "it is accepted") { await board.count == 1 }
                client.setReset()
            }
            try await wait(until: "the reset is told") { await board.events.count == 2 }
            #expect(await board.events[1] == "close 0 failed(\(ECONNRESET))")
        }
    }

    @Test("closing may be repeated, from inside a callback and with a view out, and is told once, afterwards")
    func closeInside() async throws {
        try await withSwitchboard { board, address in
            let client = try RawSocket(address)
            try client.send("close")
            #expect(try client.readToEnd() == "")
            try await wait(until: "it is told") { await board.events.count >= 2 }
            await board.close()
            #expect(await board.events == ["after close", "close 0 closed"])
            #expect(await board.count == 0)
        }
    }

    @Test("an error is told once, whatever libevent reports after it")
    func thunks() async throws {
        try await withSwitchboard { board, address in
            let client = try RawSocket(address)
            try await wait(until: "it is accepted") { await board.count == 1 }
            await board.reportErrors()
            #expect(try client.readToEnd() == "")
            #expect(await board.events == ["close 0 failed(\(ETIMEDOUT))"])
            #expect(await board.count == 0)
        }
    }

    @Test("sending to a peer that has gone is told as its end")
    func sendToNobody() async throws {
        try await withSwitchboard { board, address in
            do {
                let client = try RawSocket(address)
                try await wait(until: "it is accepted") { await board.count == 1 }
                await board.setReading(false)
                client.setReset()
            }
            // Reading is off, so only sending can find out.
            try await wait(until: "it is told") {
                await board.send([1])
                return await !board.events.isEmpty
            }
            let event = await board.events[0]
            #expect(event == "close 0 failed(\(ECONNRESET))" || event == "close 0 failed(\(EPIPE))")
            #expect(await board.events.count == 1)
        }
    }

    @Test("closing after the flush delivers everything, then the end, also with input unread")
    func closeAfterFlush() async throws {
        try await withSwitchboard { board, address in
            do {
                let client = try RawSocket(address)
                try await wait(until: "it is accepted") { await board.count == 1 }
                await board.setReading(false)
                // Unread input would turn a plain close into a reset, which destroys what is on its way.
                try client.send([UInt8](repeating: 1, count: 10_000))
                await board.send([UInt8](repeating: 2, count: 8_000_000))
                await board.closeAfterFlush(timeout: .seconds(20))
                await board.closeAfterFlush(timeout: .zero)
                await board.send([3])
                #expect(try client.read(exactly: 8_000_000) == [UInt8](repeating: 2, count: 8_000_000))
                #expect(try client.read().isEmpty)
                // It waits for the peer to have read all.
                #expect(await board.events.isEmpty)
                #expect(await board.count == 1)
            }
            try await wait(until: "it is told") { await board.events == ["close 0 closed"] }
            #expect(await board.received.isEmpty)
        }
    }

    @Test("a peer that does not read delays the close no longer than the timeout")
    func flushTimeout() async throws {
        try await withSwitchboard { board, address in
            let client = try RawSocket(address)
            try await wait(until: "it is accepted") { await board.count == 1 }
            await board.send([UInt8](repeating: 2, count: 20_000_000))
            await board.closeAfterFlush(timeout: .milliseconds(100))
            try await wait(until: "it is told") { await board.events == ["close 0 closed"] }
            withExtendedLifetime(client) {}
        }
    }

    @Test("a connection without a handler closes itself")
    func noHandler() async throws {
        try await withSwitchboard { board, address in
            let client = try RawSocket(address)
            try await wait(until: "it is accepted") { await board.count == 1 }
            await board.forgetHandler()
            try client.send("x")
            #expect(try client.readToEnd() == "")
        }
    }

    @Test("both ends know the addresses, and a dead peer can be probed for")
    func addresses() async throws {
        try await withLoops(2) { loops in
            let (server, client) = (Switchboard(on: loops[0]), Switchboard(on: loops[1]))
            let address = try await server.listen()
            let source = try SocketAddress(parsing: "127.0.0.9:0")
            try await client.connect(to: address, from: source)
            try await wait(until: "it is open") { await client.events == ["open"] }
            try await wait(until: "it is accepted") { await server.count == 1 }
            let local = try await client.locals()[0]
            #expect(local.host == "127.0.0.9")
            #expect(await server.peers() == [local])
            #expect(await client.peers() == [address])
            try await server.enableKeepAlive()
            await client.send(Array("ping".utf8))
            try await wait(until: "it arrives") { await server.received == Array("ping".utf8) }
            await client.stop()
            try await wait(until: "the end is told") { await server.events == ["close 0 endOfStream"] }
            await server.stop()
        }
    }

    @Test("what is sent before the connection is open is written then")
    func sendBeforeOpen() async throws {
        try await withSwitchboard { board, address in
            let client = Switchboard(on: board.loop)
            try await client.connect(to: address)
            await client.send(Array("early".utf8))
            try await wait(until: "it arrives") { await board.received == Array("early".utf8) }
            await client.stop()
        }
    }

    @Test("a refused connection is told as one that failed")
    func refused() async throws {
        try await withLoop { loop in
            let client = Switchboard(on: loop)
            let address = try bindAnyPort()[0].address
            try await client.connect(to: address)
            try await wait(until: "it is told") { await client.events == ["close -1 failed(\(ECONNREFUSED))"] }
            #expect(await client.count == 0)
        }
    }
}
