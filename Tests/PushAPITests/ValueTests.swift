import Push
import Testing

@testable import PushAPI

@Suite("The values a request is taken apart into")
struct ValueTests {
    @Test("a pattern's parameter is one whole segment")
    func patterns() {
        let devices = Pattern("/psp/push/task/{task_id}/devices")
        #expect(devices.match("/psp/push/task/a%2Fb/devices") == .parameter("a%2Fb"))
        for path in ["/psp/push/task/devices", "/psp/push/task//devices", "/psp/push/task/a/b/devices", "/psp/push/task/a", ""] {
            #expect(devices.match(path) == .none, "\(path)")
        }
        #expect(Pattern("/healthz").match("/healthz") == .literal)
        #expect(Pattern("/healthz").match("/healthz/") == .none)
    }

    @Test(
        "lines are found across slices of any size, with their numbers; white space alone is left out",
        arguments: [1, 2, 3, 7, 100])
    func lines(sliceSize: Int) {
        var rest = Array("one\n\n \t\r\ntwo\r\n\nthree".utf8)[...]
        var reader = LineReader {
            defer { rest = rest.dropFirst(sliceSize) }
            return rest.isEmpty ? nil : Array(rest.prefix(sliceSize))
        }
        var lines: [String] = []
        while let line = reader.next() { lines.append("\(line.number):" + String(decoding: line.bytes, as: UTF8.self)) }
        #expect(lines == ["1:one", "4:two\r", "6:three"])
        #expect(reader.next() == nil)
    }

    @Test("an empty parameter is as one that is missing; the first fault in the interface's order answers")
    func query() throws {
        let rule = QueryRule.list(required: ["state"])
        let query = try Query(parsing: "state=pending&after=&limit=&", rule: rule)
        #expect(query["state"] == "pending")
        #expect(query.after == nil)
        #expect(try query.limit() == 100)
        #expect(throws: Refusal(.unsupportedField, field: "x")) { try Query(parsing: "limit=1&limit=1&x", rule: rule) }
        #expect(throws: Refusal(.missingField, field: "state")) { try Query(parsing: "limit=1&limit=1", rule: rule) }
        #expect(throws: Refusal(.invalidValue, field: "limit")) { try Query(parsing: "limit=1&state=x&limit=1", rule: rule) }
    }

    @Test("Retry-After is whole seconds, at least one")
    func retryAfter() {
        for (delay, seconds) in [(Duration.zero, "1"), (.milliseconds(1), "1"), (.seconds(2), "2"), (.milliseconds(2001), "3")] {
            let reply = Reply.failure(StoreError.unavailable(retryAfter: delay), in: .english)
            #expect(reply.headers.map(\.value) == [seconds])
        }
    }
}
