import JSON
import Testing

@Suite("reading values")
struct ValueTests {
    @Test("members come in the order of the text, duplicates included, keys decoded")
    func members() throws {
        let root = try JSONDocument(parsing: #"{"b":1,"\u0061":{"x":[1,2]},"b":"two","":null}"#).root
        #expect(root.members.map(\.key) == ["b", "a", "b", ""])
        #expect(root.members.map(\.value.kind) == [.number, .object, .string, .null])
        #expect(root.count == 4)
        #expect(root["b"]?.int64 == 1)
        #expect(root["a"]?["x"]?.elements.compactMap(\.int64) == [1, 2])
        #expect(root["missing"] == nil)
    }

    @Test("an accessor of another kind has nothing")
    func otherKinds() throws {
        let root = try JSONDocument(parsing: #"["s",1,true,null,{},[]]"#).root
        let values = Array(root.elements)
        #expect(values.map(\.string) == ["s", nil, nil, nil, nil, nil])
        #expect(values.map(\.int64) == [nil, 1, nil, nil, nil, nil])
        #expect(values.map(\.double) == [nil, 1, nil, nil, nil, nil])
        #expect(values.map(\.bool) == [nil, nil, true, nil, nil, nil])
        #expect(values.map(\.isNull) == [false, false, false, true, false, false])
        #expect(values.map(\.count) == [0, 0, 0, 0, 0, 0])
        #expect(values.allSatisfy { Array($0.members).isEmpty && Array($0.elements).isEmpty })
        #expect(Array(root.members).isEmpty)
        #expect(values[0]["s"] == nil)
    }

    @Test(
        "a string is decoded",
        arguments: [
            (#""""#, ""), (#""中文""#, "中文"), (#""\u4e2d\u6587""#, "中文"), (#""\ud83d\ude00!""#, "😀!"), (#""\"\\\/""#, "\"\\/"),
            (#""\b\f\n\r\t""#, "\u{8}\u{C}\n\r\t"), (#""a\u0000b""#, "a\0b"), (#""\uffff\uD834\uDD1E""#, "\u{FFFF}\u{1D11E}"),
        ])
    func strings(text: String, decoded: String) throws {
        #expect(try JSONDocument(parsing: text).root.string == decoded)
    }

    @Test(
        "an integer is one only where it is written as one and fits",
        arguments: [
            ("0", 0, 0), ("-0", 0, 0), ("9223372036854775807", .max, 9_223_372_036_854_775_807),
            ("9223372036854775808", nil, 1 << 63),
            ("-9223372036854775808", .min, nil), ("18446744073709551615", nil, .max), ("18446744073709551616", nil, nil),
            ("1.0", nil, nil), ("1e2", nil, nil), ("-1", -1, nil), ("1e400", nil, nil),
        ] as [(String, Int64?, UInt64?)])
    func integers(text: String, signed: Int64?, unsigned: UInt64?) throws {
        let root = try JSONDocument(parsing: text).root
        #expect(root.int64 == signed)
        #expect(root.uint64 == unsigned)
    }

    @Test(
        "a number is as near as a double comes",
        arguments: [("1.10", 1.1), ("1e2", 100), ("-0", 0), ("1e400", .infinity), ("1e-400", 0)])
    func doubles(text: String, value: Double) throws {
        #expect(try JSONDocument(parsing: text).root.double == value)
    }

    @Test("raw bytes are the caller's, white space and all")
    func raw() throws {
        let root = try JSONDocument(parsing: #" {"a" : [ 1.10 , "\u0041" ] } "#).root
        #expect(root["a"].map { String(decoding: $0.raw, as: UTF8.self) } == #"[ 1.10 , "\u0041" ]"#)
        #expect(String(decoding: root.raw, as: UTF8.self) == #"{"a" : [ 1.10 , "\u0041" ] }"#)
    }
}

@Suite("white space and size")
struct MinifyTests {
    @Test(
        "white space outside strings goes, and nothing else changes",
        arguments: [
            (" { \"b\" : 1.10 ,\t\"a\":[ 1e2 ,\r\n -0 ] } ", "{\"b\":1.10,\"a\":[1e2,-0]}"),
            (#"{ "a b" : " c \" d ", "\u4e2d" : "\/" }"#, #"{"a b":" c \" d ","\u4e2d":"\/"}"#),
            (
                #"{ "n" : 18446744073709551616, "n" : 1e400, "n" : 0.10E+05 }"#,
                #"{"n":18446744073709551616,"n":1e400,"n":0.10E+05}"#
            ),
            (#" "x  y" "#, #""x  y""#), (" 1.0 ", "1.0"), ("[ ]", "[]"), ("{ }", "{}"),
            (" [ \"\\\\\" , \" \" ] ", #"["\\"," "]"#),
        ])
    func minify(text: String, expected: String) throws {
        #expect(String(decoding: try JSONDocument(parsing: text).root.minified(), as: UTF8.self) == expected)
    }

    @Test("a value is found in its container's minified bytes")
    func locating() throws {
        let root = try JSONDocument(parsing: #" { "t" : " " , "body" : { "c" : [ 1 , 2 ] } , "z" : 0 } "#).root
        let body = try #require(root["body"])
        let (bytes, range) = root.minified(locating: body)
        #expect(String(decoding: bytes, as: UTF8.self) == #"{"t":" ","body":{"c":[1,2]},"z":0}"#)
        #expect(String(decoding: bytes[range], as: UTF8.self) == #"{"c":[1,2]}"#)
        #expect(root.minified(locating: root).inner == 0..<bytes.count)
    }

    @Test("a value measures what Python writes", arguments: pythonSizes)
    func measured(text: String, size: Int) throws {
        #expect(try JSONDocument(parsing: text).root.measuredSize == size)
        #expect(try JSONDocument(parsing: "[ \(text) , \(text) ]").root.measuredSize == 2 * size + 3)
        #expect(try JSONDocument(parsing: "{ \"k\" : \(text) , \"k\" : \(text) }").root.measuredSize == 2 * size + 11)
    }
}
