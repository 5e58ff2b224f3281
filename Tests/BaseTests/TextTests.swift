import Base
import Testing

@Suite("Hexadecimal digits and percent-encoding")
struct TextTests {
    @Test("bytes are written as two lower-case digits each")
    func encoding() {
        #expect(Hex.encode([]) == "")
        #expect(Hex.encode([0x00, 0x0f, 0xa0, 0xff]) == "000fa0ff")
    }

    @Test("a digit is read in either case, and nothing else is a digit")
    func digits() {
        for value in UInt8(0)..<16 {
            let digit = Hex.digit(value)
            #expect(Hex.value(of: digit) == value)
            #expect(Hex.value(of: UInt8(ascii: "A") + value - 10) == value || value < 10)
        }
        for other in "/:@G`g \0".utf8 { #expect(Hex.value(of: other) == nil) }
    }

    @Test(
        "percent-encoded text is decoded as a whole or not at all",
        arguments: [
            ("", ""), ("a+b", "a+b"), ("%41%7a", "Az"), ("%E6%98%a5", "春"), ("a%20b+c", "a b+c"), ("%", nil), ("%4", nil),
            ("%g0", nil), ("%4g", nil), ("%FF", nil), ("%E6%98", nil),
            ("%00", "\0"),
        ] as [(Substring, String?)])
    func percent(encoded: Substring, text: String?) {
        #expect(PercentEncoding.decode(encoded) == text)
    }

    @Test("in a query a plus sign is a space")
    func plus() { #expect(PercentEncoding.decode("a+b%2B", plusIsSpace: true) == "a b+") }
}
