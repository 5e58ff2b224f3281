import JSON
import Testing

@Suite("writing")
struct WriterTests {
    @Test("commas stand where they belong")
    func structure() {
        var json = JSONWriter()
        json.object { json in
            json.member("ret", "SUCCESS")
            json.member("n", 3)
            json.member("least", Int64.min)
            json.member("most", UInt64.max)
            json.member("yes", true)
            json.member("absent", ifPresent: nil)
            json.member("present", ifPresent: "x")
            json.member("body", raw: Array(#"{"a":1.10}"#.utf8))
            json.key("list")
            json.array { json in
                json.object { _ in }
                json.array { $0.null() }
                json.array { _ in }
                json.value(false)
                json.value("s")
            }
            json.key("null")
            json.null()
        }
        #expect(
            String(decoding: json.bytes, as: UTF8.self)
                == #"{"ret":"SUCCESS","n":3,"least":-9223372036854775808,"most":18446744073709551615,"yes":true,"present":"x","#
                + #""body":{"a":1.10},"list":[{},[null],[],false,"s"],"null":null}"#)
    }

    @Test(
        "a string is escaped as little as JSON allows",
        arguments: [
            ("", #""""#), ("a/b", #""a/b""#), ("\"\\", #""\"\\""#), ("\u{8}\u{C}\n\r\t", #""\b\f\n\r\t""#),
            ("\0\u{1F}", #""\u0000\u001f""#),
            ("中😀\u{7F}\u{2028}", "\"中😀\u{7F}\u{2028}\""),
        ])
    func strings(text: String, expected: String) throws {
        var json = JSONWriter()
        json.value(text)
        #expect(String(decoding: json.bytes, as: UTF8.self) == expected)
        #expect(try JSONDocument(parsing: json.bytes).root.string == text)
    }

    @Test("keys are escaped too")
    func keys() {
        var json = JSONWriter()
        json.object { $0.member("a\"\n", 1) }
        #expect(String(decoding: json.bytes, as: UTF8.self) == #"{"a\"\n":1}"#)
    }
}
