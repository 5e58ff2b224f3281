import Base
import JSON
import Testing

@Suite("what is JSON and what is not")
struct DocumentTests {
    @Test(
        "a text of the grammar is accepted, whatever a machine word can hold",
        arguments: [
            "0", "-0", "10", "1.10", "1e2", "1E+2", "1e-2", "-1.5e10", "18446744073709551616", "1e400", "-1e-999",
            "9".repeated(400),
            "true", "false", "null", "\"\"", "[]", "{}", " \t\r\n[ ]\n", "[1,2]", "[[[]]]", "{\"a\":{\"a\":[]}}",
            "{\"a\":1,\"a\":2}",
            "\"\u{7F}\"", "\"\u{10FFFF}\"", "\"\u{FEFF}\"", #""\ud83d\ude00""#, #""\u0000""#, #""\"\\\/\b\f\n\r\t""#,
            #"{"\u0061":1}"#,
            "{\"\":\"\"}", "[\"\\\\\"]", "[\"\\\"\"]", "[\"a\\\\\",\"b\"]",
        ])
    func accepted(text: String) throws {
        _ = try JSONDocument(parsing: text)
    }

    @Test(
        "what is not of the grammar is refused, and the place is named",
        arguments: [
            ("", .empty), ("  \n", .empty), ("{", .syntax(offset: 1)), ("[", .syntax(offset: 1)), ("}", .syntax(offset: 0)),
            ("]", .syntax(offset: 0)), ("[}", .syntax(offset: 1)), ("{]", .syntax(offset: 1)), ("[1}", .syntax(offset: 2)),
            ("{\"a\":1]", .syntax(offset: 6)), ("[1,]", .syntax(offset: 3)), ("[,1]", .syntax(offset: 1)),
            ("[1 2]", .syntax(offset: 3)), ("[1,,2]", .syntax(offset: 3)), ("{\"a\"}", .syntax(offset: 4)),
            ("{\"a\":}", .syntax(offset: 5)), ("{\"a\":1,}", .syntax(offset: 7)), ("{,}", .syntax(offset: 1)),
            ("{a:1}", .syntax(offset: 1)), ("{1:1}", .syntax(offset: 1)), ("{\"a\" 1}", .syntax(offset: 5)),
            ("{\"a\"::1}", .syntax(offset: 5)), ("1 2", .syntax(offset: 2)), ("{}{}", .syntax(offset: 2)),
            ("[]]", .syntax(offset: 2)),
            ("\"a\"b", .syntax(offset: 3)), ("\"a\"\"b\"", .syntax(offset: 3)), (":", .syntax(offset: 0)),
            (",", .syntax(offset: 0)),
            ("'a'", .syntax(offset: 0)), ("NaN", .syntax(offset: 0)), ("Infinity", .syntax(offset: 0)),
            ("tru", .syntax(offset: 0)), ("truE", .syntax(offset: 0)), ("truee", .syntax(offset: 0)), ("nul", .syntax(offset: 0)),
            ("true\"a\"", .syntax(offset: 0)), ("falsey", .syntax(offset: 0)), ("[1]\0", .syntax(offset: 3)),
            ("[1]\u{C}", .syntax(offset: 3)), ("[1\u{C}]", .syntax(offset: 2)), ("\u{FEFF}{}", .syntax(offset: 0)),
            ("[1]//", .syntax(offset: 3)), ("/**/1", .syntax(offset: 0)), ("\u{A0}1", .syntax(offset: 0)),
            ("01", .invalidNumber(offset: 0)), ("-", .invalidNumber(offset: 0)), ("-01", .invalidNumber(offset: 0)),
            ("1.", .invalidNumber(offset: 0)), (".5", .syntax(offset: 0)), ("+1", .syntax(offset: 0)),
            ("1.e5", .invalidNumber(offset: 0)), ("1e", .invalidNumber(offset: 0)), ("1e+", .invalidNumber(offset: 0)),
            ("0x10", .invalidNumber(offset: 0)), ("1_000", .invalidNumber(offset: 0)), ("--1", .invalidNumber(offset: 0)),
            ("-Infinity", .invalidNumber(offset: 0)), ("[1\"a\"]", .invalidNumber(offset: 1)),
            ("1\u{0}", .invalidNumber(offset: 0)),
            ("\"", .unclosedString(offset: 0)), ("\"abc", .unclosedString(offset: 0)), ("\"\\\"", .unclosedString(offset: 0)),
            ("{\"a", .unclosedString(offset: 1)), (#"{"a":"\\\\","b\\"#, .unclosedString(offset: 12)),
            ("\"a\nb\"", .controlCharacter(offset: 2)), ("\"\u{1F}\"", .controlCharacter(offset: 1)),
            ("\"\0\"", .controlCharacter(offset: 1)), ("[\"a\",\n\"\\\"\t\"]", .controlCharacter(offset: 9)),
            ("\"\\x\"", .invalidEscape(offset: 1)), ("\"a\\'\"", .invalidEscape(offset: 2)),
            ("\"\\u12\"", .invalidEscape(offset: 1)),
            ("\"\\u12g4\"", .invalidEscape(offset: 1)), ("\"\\U0041\"", .invalidEscape(offset: 1)),
            ("{\"\\q\":1}", .invalidEscape(offset: 2)),
            (#""\ud83d""#, .loneSurrogate(offset: 1)), (#""\ude00""#, .loneSurrogate(offset: 1)),
            (#""\ud83d\ud83d""#, .loneSurrogate(offset: 1)), (#""\ud83dx\ude00""#, .loneSurrogate(offset: 1)),
            (#""\ude00\ud83d""#, .loneSurrogate(offset: 1)), (#""\ud83d\n""#, .loneSurrogate(offset: 1)),
            (#"{"\udead":1}"#, .loneSurrogate(offset: 2)), (#""\ud83d\u00""#, .loneSurrogate(offset: 1)),
        ] as [(String, JSONError)])
    func refused(text: String, error: JSONError) {
        #expect(throws: error) { try JSONDocument(parsing: text) }
    }

    @Test(
        "bytes that are not UTF-8 are refused",
        arguments: [
            [0xFF], [0xC0, 0xAF], [0xC3], [0xE4, 0xB8], [0xED, 0xA0, 0x80], [0xED, 0xBF, 0xBF], [0xF4, 0x90, 0x80, 0x80],
            [0xF8, 0x88, 0x80, 0x80, 0x80], [0xE0, 0x80, 0xAF], [0x80],
        ] as [[UInt8]])
    func notUTF8(bytes: [UInt8]) {
        #expect(throws: JSONError.invalidUTF8(offset: 6)) {
            try JSONDocument(parsing: Array("{\"a\":\"".utf8) + bytes + Array("\"}".utf8))
        }
    }

    @Test("every place in a block of the scanner is like every other", arguments: 0..<140)
    func alignment(padding: Int) throws {
        let text = " ".repeated(padding) + #"{"k\"":["\u4e2d",1.0,true,"x"]}"# + " ".repeated(padding % 7)
        let root = try JSONDocument(parsing: text).root
        #expect(root.minified() == Array(#"{"k\"":["\u4e2d",1.0,true,"x"]}"#.utf8))
        #expect(root["k\""]?.elements.map(\.kind) == [.string, .number, .true, .string])
        for length in 1..<(text.utf8.count - padding % 7) {
            #expect(throws: JSONError.self) { try JSONDocument(parsing: Array(text.utf8.prefix(length))) }
        }
    }

    @Test("nesting costs no stack: as deep as the text is long")
    func deepNesting() throws {
        let depth = 1 << 20
        let document = try JSONDocument(parsing: "[".repeated(depth) + "]".repeated(depth))
        #expect(document.root.count == 1)
        #expect(document.root.measuredSize == 2 * depth)
        #expect(document.root.minified().count == 2 * depth)
        #expect(throws: JSONError.syntax(offset: 1 << 16)) { try JSONDocument(parsing: "[".repeated(1 << 16)) }
        #expect(throws: JSONError.syntax(offset: 5 << 14)) { try JSONDocument(parsing: "{\"a\":".repeated(1 << 14)) }
    }

    @Test("a document may be of any size, and small ones follow large ones")
    func sizes() throws {
        for count in [1, 100_000, 3, 400_000, 2] {
            let text = "[" + Array(repeating: "\"x\"", count: count).joined(separator: ", ") + "]"
            #expect(try JSONDocument(parsing: text).root.count == count)
        }
    }

    @Test("damaged text never ends the process, and what is accepted can be read to the end")
    func damage() throws {
        let text = Array(#"{"a":[1.5e3,"\ud83d\ude00\n",true,null,{"b":"中"}],"c":-0}"#.utf8)
        var generator = SplitMix(seed: 7)
        for _ in 0..<20_000 {
            var damaged = text
            for _ in 0..<Int.random(in: 1...3, using: &generator) {
                let index = Int.random(in: 0..<damaged.count, using: &generator)
                damaged[index] =
                    Bool.random(using: &generator) ? text.randomElement(using: &generator) ?? 0 : UInt8(generator.next() & 0xFF)
            }
            guard case .success(let document) = Result(catching: { try JSONDocument(parsing: damaged) }) else { continue }
            let minified = document.root.minified()
            let again = try JSONDocument(parsing: minified)
            #expect(again.root.minified() == minified)
            #expect(again.root.measuredSize == document.root.measuredSize)
            for (_, value) in document.root.members {
                _ = (value.string, value.double, value.int64, value.elements.map(\.string))
            }
        }
    }
}

extension String {
    func repeated(_ times: Int) -> String { String(repeating: self, count: times) }
}
