import Libevent
import Testing

/// How a request is written (RFC 9112): what everybody reads alike is served, everything else is refused, on both ways.
@Suite("HTTP syntax")
struct HTTPSyntaxTests {
    static let ways: [LibeventWay] = [.direct, .plain]

    private static let last = "GET /last HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"

    @Test(
        "what is in order is served, what is not is told to the handler and closes the connection", arguments: ways, syntaxCases)
    func whole(way: LibeventWay, tried: SyntaxCase) async throws {
        try await withDescriber(way: way) { server, address in
            let client = try RawSocket(address)
            try client.send(tried.request + Self.last)
            try check(client.readToEnd(), tried)
        }
    }

    @Test("the same when it comes byte by byte", arguments: ways, syntaxCases.filter { $0.request.utf8.count < 3000 })
    func byteByByte(way: LibeventWay, tried: SyntaxCase) async throws {
        try await withDescriber(way: way) { server, address in
            let client = try RawSocket(address)
            for byte in (tried.request + Self.last).utf8 {
                do { try client.send([byte]) } catch { break }
                await Task.yield()
            }
            try check(client.readToEnd(), tried)
        }
    }

    @Test("the same when the peer has ended its side", arguments: ways, syntaxCases)
    func halfClosed(way: LibeventWay, tried: SyntaxCase) async throws {
        try await withDescriber(way: way) { server, address in
            let client = try RawSocket(address)
            try client.send(tried.request + Self.last)
            client.shutDownWriting()
            try check(client.readToEnd(), tried)
        }
    }

    private func check(_ text: String, _ tried: SyntaxCase) throws {
        let answers = try HTTPAnswers(text).all
        #expect(!text.lowercased().contains("<html"))
        var seen: [SyntaxCase.Outcome] = []
        for answer in answers {
            let match = try #require(
                try /(\S+) ([^=]*) query=(\S*) framing=(\S+) count=\d+ body=(.*)/.wholeMatch(in: answer.body))
            #expect(answer.head.contains(#/^HTTP/1\.[01] /#))
            if match.4 == "ok" {
                seen.append(.served(body: String(match.5)))
                #expect(answer.status == 200)
                #expect(!answer.head.contains("X-Asked: t\r\n"))
            } else {
                seen.append(.refused(String(match.4)))
                #expect(answer.status == 400)
            }
        }
        switch tried.outcome {
        case .served: #expect(seen == [tried.outcome, .served(body: "")])
        case .servedLast(let body): #expect(seen == [.served(body: body)])
        case .refused: #expect(seen == [tried.outcome])
        }
        // It is said as well (RFC 9112 §9.6).
        #expect(answers.last?.head.contains("\r\nConnection: close\r\n") == true || text.hasPrefix("HTTP/1.0"))
        #expect(!answers.dropLast().contains { $0.head.contains("\r\nConnection: close\r\n") })
    }
}

/// The answers of a connection, read from all that came of it.
struct HTTPAnswers {
    struct Answer {
        let status: Int
        let head: String
        let body: String
    }

    /// No answers: bytes that are none, or an answer that breaks off.
    struct Malformed: Error {
        let rest: String
    }

    private(set) var all: [Answer] = []

    init(_ text: String) throws {
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            guard let end = rest.indices.first(where: { rest[$0...].starts(with: [13, 10, 13, 10]) }) else {
                throw Malformed(rest: String(decoding: rest, as: UTF8.self))
            }
            let head = String(decoding: rest[..<(end + 4)], as: UTF8.self)
            let length = head.firstMatch(of: /\r\nContent-Length: (\d+)\r\n/).flatMap { Int($0.1) } ?? 0
            guard let status = head.firstMatch(of: #/^HTTP/\S+ (\d+) /#).flatMap({ Int($0.1) }),
                rest.count >= end + 4 - rest.startIndex + length
            else { throw Malformed(rest: String(decoding: rest, as: UTF8.self)) }
            let body = rest[(end + 4)..<(end + 4 + length)]
            all.append(Answer(status: status, head: head, body: String(decoding: body, as: UTF8.self)))
            rest = rest[(end + 4 + length)...]
        }
    }
}
