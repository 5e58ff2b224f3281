import Libevent
import Testing

@Suite("HTTP client")
struct HTTPClientTests {
    @Test("sends method, headers and body, and gives status, headers and body back")
    func request() async throws {
        try await withDescriber { server, address in
            let client = HTTPClient(host: "127.0.0.1", port: address.port, on: server.loop)
            let answer = try await client.request(
                .put, "/p?q=1", headers: [("X-Ask", "one"), ("X-Ask", "two")], body: Array("hello".utf8))
            #expect(answer.status == 200)
            #expect(answer.header("x-asked") == "one|two")
            #expect(String(decoding: answer.body, as: UTF8.self) == "put /p query=q=1 framing=ok count=5 body=hello")
            #expect(try await client.request(.head, "/h").body.isEmpty)
            #expect(try await client.request(.get, "/close").body == Array("bye".utf8))
            #expect(try await client.request(.delete, "/d").status == 200)
        }
    }

    @Test("many requests at once are answered one after the other, on one connection")
    func many() async throws {
        try await withDescriber { server, address in
            let client = HTTPClient(host: "127.0.0.1", port: address.port, on: server.loop)
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 0..<50 {
                    group.addTask {
                        let answer = try await client.request(.get, "/\(number)")
                        #expect(String(decoding: answer.body, as: UTF8.self).hasPrefix("get /\(number) "))
                    }
                }
                try await group.waitForAll()
            }
            #expect(await server.connectionCount == 1)
        }
    }

    @Test("a server that is not there, goes away, does not answer or says too much is an error; the client goes on")
    func errors() async throws {
        try await withDescriber { server, address in
            let nobody = HTTPClient(host: "127.0.0.1", port: try bindAnyPort()[0].address.port, on: server.loop)
            await #expect(throws: LibeventError.disconnected) { try await nobody.request(.get, "/") }
            await #expect(throws: LibeventError.disconnected) { try await nobody.request(.get, "/") }

            let client = HTTPClient(host: "127.0.0.1", port: address.port, on: server.loop)
            await #expect(throws: LibeventError.timedOut) { try await client.request(.get, "/keep", timeout: .milliseconds(100)) }
            await server.answerKept()
            #expect(try await client.request(.get, "/again").status == 200)

            let modest = HTTPClient(host: "127.0.0.1", port: address.port, on: server.loop, maxBodyBytes: 1000)
            await #expect(throws: LibeventError.malformedResponse) { try await modest.request(.get, "/big") }
        }
    }
}
