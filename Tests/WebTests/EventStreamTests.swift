import Libevent
import TestKit
import Testing
import Web

@Suite("Server-sent events")
struct EventStreamTests {
    /// Opens a stream, and reads its head.
    private func open(_ served: Served) async throws -> RawConnection {
        let count = await served.front.streamCount
        let connection = try RawConnection(port: served.port)
        try connection.send("GET /events HTTP/1.1\r\nHost: x\r\n\r\n")
        try await until("the stream is open") { await served.front.streamCount == count + 1 }
        return connection
    }

    /// Reads the next chunk that is no keep-alive.
    private func event(_ connection: RawConnection) throws -> String {
        while true {
            let chunk = try connection.readChunk()
            if chunk != ":\n\n" { return chunk }
        }
    }

    @Test("events have a name, an id and data of several lines; their end leaves the connection to the next request")
    func events() async throws {
        try await Served.with { served in
            let connection = try await open(served)
            await served.front.send(ServerSentEvent(name: "stats", data: "{}", id: "7"))
            let (status, headers) = try connection.replyHead()
            #expect(status == 200)
            #expect(headers["content-type"] == "text/event-stream")
            #expect(headers["cache-control"] == "no-cache")
            #expect(try event(connection) == "id: 7\nevent: stats\ndata: {}\n\n")
            await served.front.send(ServerSentEvent(data: "one\r\ntwo\n\nthree\rfour"))
            #expect(try event(connection) == "data: one\ndata: two\ndata: \ndata: three\ndata: four\n\n")
            await served.front.send(ServerSentEvent(data: ""))
            #expect(try event(connection) == "data: \n\n")
            await served.front.endStreams()
            #expect(try event(connection) == "")
            try connection.send("GET /hello HTTP/1.1\r\nHost: x\r\n\r\n")
            #expect(try connection.reply().text == "hello")
            // It has never been behind.
            #expect(await served.front.told.isEmpty)
        }
    }

    @Test("a stream that has nothing to tell sends a comment from time to time")
    func keepAlive() async throws {
        try await Served.with { served in
            let connection = try await open(served)
            await served.front.send(ServerSentEvent(data: "x"))
            _ = try connection.replyHead()
            #expect(try connection.readChunk() == "data: x\n\n")
            for _ in 0..<2 { #expect(try connection.readChunk() == ":\n\n") }
        }
    }

    @Test("a peer that leaves is told of, once")
    func leaving() async throws {
        try await Served.with { served in
            do {
                let connection = try await open(served)
                await served.front.send(ServerSentEvent(data: "x"))
                _ = try connection.replyHead()
            }
            try await until("its leaving is told") { await served.front.told.last == "closed" }
            #expect(await served.front.openStreams == 0)
            await served.front.send(ServerSentEvent(data: "nobody hears this"))
            await served.front.endStreams()
            #expect(await served.front.told.count { $0 == "closed" } == 1)
        }
    }

    @Test("a peer that does not read falls behind, which can be seen; when it has read all, that is told")
    func backPressure() async throws {
        try await Served.with { served in
            let connection = try await open(served)
            let large = ServerSentEvent(data: String(repeating: "x", count: 50_000))
            var count = 0
            while await !served.front.isBehind {
                await served.front.send(large)
                count += 1
            }
            _ = try connection.replyHead()
            for _ in 0..<count { #expect(try event(connection).utf8.count == 50_000 + 8) }
            // It may have drained before, into what the system has for the peer.
            try await until("it has drained") {
                let isBehind = await served.front.isBehind
                return await served.front.told.last == "drained" && !isBehind
            }
            #expect(await served.front.openStreams == 1)
        }
    }

    @Test("a peer that falls too far behind is left, and its reply is not complete")
    func tooFarBehind() async throws {
        try await Served.with { served in
            let connection = try await open(served)
            let large = ServerSentEvent(data: String(repeating: "x", count: 500_000))
            while await served.front.openStreams == 1 { await served.front.send(large) }
            try await until("it is told") { await served.front.told.last == "closed" }
            _ = try connection.replyHead()
            #expect(throws: RawConnection.Failure.self) { while try !event(connection).isEmpty {} }
        }
    }

    @Test("a peer that has fallen behind and reads nothing is left, though nothing more is sent")
    func idlePeer() async throws {
        try await Served.with { served in
            let connection = try await open(served)
            let large = ServerSentEvent(data: String(repeating: "x", count: 50_000))
            try await until("it is left") {
                // What the system takes for the peer is not behind for long.
                if await !served.front.isBehind { await served.front.send(large) }
                return await served.front.told.last == "closed"
            }
            #expect(await served.front.openStreams == 0)
            _ = try connection.replyHead()
            #expect(throws: RawConnection.Failure.self) { while try !event(connection).isEmpty {} }
        }
    }

    @Test("a shutdown ends the streams: their replies are complete, and it does not wait for them")
    func shutdown() async throws {
        try await Served.with { served in
            let connection = try await open(served)
            await served.front.send(ServerSentEvent(data: "last"))
            await served.front.shutdown()
            #expect(await served.front.told.last == "closed")
            _ = try connection.replyHead()
            #expect(try event(connection) == "data: last\n\n")
            #expect(try event(connection) == "")
            #expect(try connection.isClosedByServer())
        }
    }

    @Test("a stream that is opened during a shutdown ends at once, and the shutdown does not wait for it")
    func openedInShutdown() async throws {
        try await Served.with { served in
            let connection = try RawConnection(port: served.port)
            try connection.send("GET /later HTTP/1.1\r\nHost: x\r\n\r\n")
            try await until("the request is there") { await served.front.hasKept }
            let shutdown = Task { await served.front.shutdown(patience: .seconds(20)) }
            try await until("the shutdown has begun") { await served.front.isShuttingDown }
            await served.front.openKeptStream()
            #expect(try connection.replyHead().status == 200)
            #expect(try event(connection) == "")
            #expect(try connection.isClosedByServer())
            await shutdown.value
            #expect(await served.front.told.last == "closed")
        }
    }

    @Test("HEAD gets the head only, and its stream is closed")
    func head() async throws {
        try await Served.with { served in
            let reply = try served.send("HEAD", "/events")
            #expect(reply.status == 200)
            #expect(reply.headers["content-type"] == "text/event-stream")
            try await until("it is closed") { await served.front.told == ["closed"] }
        }
    }

    @Test("a stream that is let go without its end breaks the connection off")
    func dropped() async throws {
        try await Served.with { served in
            let connection = try await open(served)
            await served.front.send(ServerSentEvent(data: "half"))
            await served.front.dropStreams()
            _ = try connection.replyHead()
            #expect(throws: RawConnection.Failure.self) { while try !event(connection).isEmpty {} }
        }
    }
}
