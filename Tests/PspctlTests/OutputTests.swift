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
}
