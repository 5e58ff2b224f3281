import Push
import Testing

@Suite("the error catalogue")
struct CatalogueTests {
    @Test("holds the interface's codes, each with a text in both languages that no other has")
    func codes() {
        let codes =
            Array(2001...2011) + Array(2101...2109) + Array(2201...2209) + [2301, 2302, 2901]
        #expect(ErrorCode.allCases.map(\.rawValue) == codes)
        #expect(Set(ErrorCode.allCases.map { $0.text(in: .chinese) }).count == codes.count)
        #expect(Set(ErrorCode.allCases.map { $0.text(in: .english) }).count == codes.count)
        #expect(ErrorCode.allCases.allSatisfy { $0.text(in: .english).utf8.allSatisfy { (0x20...0x7E).contains($0) } })
        #expect(ErrorCode.allCases.allSatisfy { $0.text(in: .chinese).contains { ("\u{4E00}"..."\u{9FFF}").contains($0) } })
    }

    @Test("the seed document's own code has its own text")
    func seed() {
        #expect(ErrorCode(rawValue: 2001)?.text(in: .chinese) == "请求参数没有appkey")
    }

    @Test(
        "texts are Chinese unless Accept-Language prefers English",
        arguments: [
            (nil, .chinese), ("", .chinese), ("zh-CN", .chinese), ("en", .english), ("en-US,en;q=0.9", .english),
            ("EN-gb", .english),
            ("zh-CN,zh;q=0.9,en;q=0.8", .chinese), ("en;q=0.8,zh;q=0.9", .chinese), ("en-US,en;q=0.9,zh;q=0.8", .english),
            ("zh, en", .chinese), ("en, zh", .english), ("zh;q=0, en;q=0.1", .english), ("en;q=0", .chinese), ("fr", .chinese),
            ("fr, en;q=0.1", .english), ("*", .chinese), ("en;q=0.5, *", .chinese), ("en, *;q=0.5", .english),
            ("zh;q=0.5, *", .english),
            ("en;q=x", .chinese), ("en;q=2", .chinese), (";;,,q=1", .chinese), (" en ; q=1.0 ", .english), ("english", .chinese),
        ] as [(String?, Language)])
    func language(header: String?, language: Language) {
        #expect(Language(acceptLanguage: header) == language)
    }
}

@Suite("names")
struct IdentifierTests {
    @Test("an identifier is 1 to 128 of the allowed characters", arguments: ["a", "Z", "0", "._:@-", "aA0" + "x".repeated(125)])
    func allowed(text: String) {
        #expect(DeviceToken(text)?.text == text)
        #expect(AppKey(text)?.text == text)
    }

    @Test(
        "and nothing else",
        arguments: ["", "x".repeated(129), "a b", "a/b", "a,b", "a+b", "#", "é", "设备", "a\0", "a\n", "\u{212A}", "😀", "a%20"])
    func refused(text: String) {
        #expect(UserID(text) == nil)
        #expect(OrgID(text) == nil)
    }
}
