import MQTT
import Testing

@Suite("Topic filters")
struct TopicFilterTests {
    @Test(
        "a filter matches what the standard says",
        arguments: [
            ("a/b", "a/b"), ("#", "a"), ("#", "a/b/c"), ("#", "/"), ("a/#", "a"), ("a/#", "a/"), ("a/#", "a/b/c"), ("/#", "/a"),
            ("+", "a"), ("+/+", "/a"), ("/+", "/a"), ("+/+", "/"), ("a/+", "a/"), ("a/+/c", "a/b/c"), ("a/+/c", "a//c"),
            ("+/b/#", "a/b"), ("+/#", "a"), ("a/+/#", "a/b"), ("psp/push/#", "psp/push/msg"), ("psp/+/msg", "psp/push/msg"),
            ("$SYS/#", "$SYS/a"), ("$SYS/+", "$SYS/a"), ("$SYS", "$SYS"), ("a/$b", "a/$b"), ("+/$b", "a/$b"),
            ("$share/n/a/+", "a/b"), ("$share/n/#", "a"), ("$share/n//", "/"), ("é/+", "é/ü"), ("A C", "A C"),
        ])
    func matches(_ filter: String, _ name: String) throws {
        #expect(try #require(TopicFilter(filter)).matches(name))
    }

    @Test(
        "a filter does not match anything else",
        arguments: [
            ("a/b", "a"), ("a", "a/b"), ("a", "A"), ("a", "/a"), ("/a", "a"), ("a/", "a"), ("a/+", "a"), ("+", "/a"),
            ("+", "a/b"),
            ("+/+", "a"), ("a/#", "ab"), ("a/#", "b"), ("a/+/c", "a/b"), ("a/+/c", "a/b/d"), ("+/b/#", "a"), ("#", "$SYS"),
            ("#", "$SYS/a"), ("+", "$SYS"), ("+/a", "$SYS/a"), ("$share/n/#", "$SYS/a"), ("psp/push", "psp/push/msg"),
            ("psp/push/ms", "psp/push/msg"), ("psp/push/msg1", "psp/push/msg"), ("a", ""), ("é", "e\u{301}"),
        ])
    func differs(_ filter: String, _ name: String) throws {
        #expect(try !#require(TopicFilter(filter)).matches(name))
    }

    @Test(
        "what is no filter is refused",
        arguments: [
            "", "a#", "#a", "a/#/b", "##", "#/", "a+", "+a", "a/b+/c", "a/+b", "++", "$share//a", "$share/n", "$share/n/",
            "$share/",
            "$share/+/a", "$share/n#/a", "$share/n/a#",
        ])
    func refused(_ text: String) {
        #expect(TopicFilter(text) == nil)
    }

    @Test("a filter has at most 65,535 bytes")
    func length() {
        #expect(TopicFilter(String(repeating: "a", count: 65_535)) != nil)
        #expect(TopicFilter(String(repeating: "a", count: 65_536)) == nil)
    }

    @Test("a shared subscription tells the name of its share")
    func shared() throws {
        let shared = try #require(TopicFilter("$share/group/a/b"))
        #expect(shared.isShared)
        #expect(shared.shareName == "group")
        #expect(shared.text == "$share/group/a/b")

        for text in ["$share", "$shared/n/a", "a/$share/n"] {
            let plain = try #require(TopicFilter(text))
            #expect(!plain.isShared)
            #expect(plain.shareName == nil)
        }
    }

    @Test("3.1.1 has no shared subscriptions: the filter stands for itself")
    func notShared() throws {
        let plain = try #require(TopicFilter("$share/n/a", version: .v311))
        #expect(!plain.isShared)
        #expect(!plain.matches("a"))
        #expect(plain.matches("$share/n/a"))
    }
}
