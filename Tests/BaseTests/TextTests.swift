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

@Suite("Texts from outside")
struct ExactTextTests {
    private let composed: ExactText = "\u{E9}"
    private let decomposed: ExactText = "e\u{301}"

    @Test("what looks alike is another text as soon as a byte differs")
    func equality() {
        #expect(composed.text == decomposed.text, "for Unicode they are one")
        #expect(composed != decomposed)
        #expect(Set([composed, decomposed, ExactText("\u{E9}")]).count == 2)
        #expect(ExactText("\u{212A}") != "K", "a KELVIN SIGN is no K")
        #expect(ExactText("") == "" && ExactText("") != "\0" && ExactText("a") != "a\0")
    }

    @Test("texts are sorted as databases sort them, by their bytes")
    func order() {
        let sorted: [ExactText] = ["", "\0", "Z", "a", "a\0", "aa", decomposed, composed, "\u{FFFF}", "\u{10000}"]
        #expect(sorted.reversed().sorted() == sorted)
        for (index, text) in sorted.enumerated() {
            for (other, later) in sorted.enumerated() { #expect((text < later) == (index < other)) }
        }
    }

    @Test("two texts in a row are told from two others")
    func hashing() {
        #expect([ExactText("ab"), "c"].hashValue != [ExactText("a"), "bc"].hashValue)
    }
}
