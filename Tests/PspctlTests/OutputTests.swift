import Foundation
import JSON
import Testing

@testable import pspctl

@Suite("What is shown")
struct OutputTests {
    @Test("columns are as wide as a terminal shows them, numbers to the right, absent values as a dash")
    func table() throws {
        var table = Table([Column("ORG", "org_id"), Column("NAME", "name"), Column("DEVICES", "devices", isNumber: true)])
        table.add(try JSONDocument(parsing: #"{"org_id":"a","name":"公安局","devices":12}"#).root)
        table.add(try JSONDocument(parsing: #"{"org_id":"traffic","devices":3}"#).root)
        #expect(
            table.lines == [
                "ORG      NAME    DEVICES",
                "a        公安局       12",
                "traffic  -             3",
            ])
    }

    @Test("clocks are told in words, with what store time waits for")
    func clocks() throws {
        func lines(_ json: String) throws -> [String] { ClockLines.lines(of: try JSONDocument(parsing: json).root) }
        let plain = #"{"store_time":1000,"wall_clock":1000,"offset":0,"synchronised":true,"steps":0}"#
        #expect(try lines(plain).suffix(2) == ["synchronised  yes", "steps         0 since the start"])
        let members = #""store_time":1000,"wall_clock":90061000,"offset":90060000,"synchronised":false,"steps":1"#
        let large = try lines("{\(members),\"ahead\":{\"since\":90000000,\"waits_for\":\"synchronisation\"}}")
        #expect(large[1].hasSuffix("(1 d 1 h behind the wall clock)"))
        #expect(large.last?.hasSuffix("or for `pspctl clock accept`.") == true)
        let small = try lines("{\(members),\"ahead\":{\"since\":90000000,\"waits_for\":\"time\",\"follows_at\":90100000}}")
        #expect(small.last?.hasSuffix("\(Column.localTime(90_100_000)) unless it is set again.") == true)
        #expect([0, 999, 61_000, 3_600_000].map { ClockLines.duration($0) } == ["0 ms", "999 ms", "1 min 1 s", "1 h"])
    }

    @Test("control characters are not obeyed")
    func controls() {
        #expect(Output.printable("a\u{1B}[31mb") == "a\u{FFFD}[31mb")
    }

    @Test("a refusal shows code, text and field")
    func refusal() throws {
        let endpoint = Endpoint(host: "127.0.0.1", port: 1)
        let body = #"{"ret":"FAIL","data":{"error_code":2102,"error_msg":"required field missing","field":"platform"}}"#
        do {
            _ = try Reply(status: 400, body: Array(body.utf8), from: endpoint)
            Issue.record("accepted")
        } catch {
            #expect(error == .refused(status: 400, code: 2102, text: "required field missing", field: "platform"))
            #expect("\(error)" == "refused with 2102 (HTTP 400): required field missing [platform]")
        }
    }
}
