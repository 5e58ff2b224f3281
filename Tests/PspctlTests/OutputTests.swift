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

    @Test("a file is sent in whole lines, and a failed line keeps its number in the file")
    func batches() throws {
        var pieces = ["one\ntw", "o\nthree\nfo", "ur"].map { Data($0.utf8) }
        var batches = LineBatches(mostLines: 3) { _ in pieces.isEmpty ? nil : pieces.removeFirst() }
        let first = try #require(try batches.next())
        #expect(first == LineBatches.Batch(firstLine: 1, bytes: Array("one\ntwo\nthree\n".utf8), count: 3))
        let second = try #require(try batches.next())
        #expect(second == LineBatches.Batch(firstLine: 4, bytes: Array("four\n".utf8), count: 1))
        #expect(try batches.next() == nil)

        var result = ImportResult()
        let reply = #"{"created":0,"updated":0,"failed":1,"failures":[{"line":1,"error_code":2101,"error_msg":"not JSON"}]}"#
        result.add(try JSONDocument(parsing: reply).root, of: second)
        #expect(result.failures.map(\.description) == ["4: refused with 2101: not JSON"])
    }
}
