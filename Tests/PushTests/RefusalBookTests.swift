import Base
import Push
import Testing

@Suite("Counting refusals")
struct RefusalBookTests {
    private func key(_ number: Int, code: Int = 2005) -> RefusalCount.Key {
        RefusalCount.Key(.callers, name: "app-\(number)", client: IPAddress(v4: UInt32(number)), code: code)
    }

    @Test("the same of a minute add up, and each minute is apart")
    func sums() {
        var book = RefusalBook()
        #expect(book.isEmpty)
        for minute: Int64 in [7, 7, 8] { book.count(key(1), at: minute) }
        book.count(key(1, code: 2006), at: 7)
        let found = book.take()
        #expect(
            Set(found) == [
                RefusalCount(key(1), minute: 7, count: 2), RefusalCount(key(1, code: 2006), minute: 7, count: 1),
                RefusalCount(key(1), minute: 8, count: 1),
            ])
        #expect(found.map(\.minute) == [7, 7, 8])
        #expect(book.isEmpty && book.take().isEmpty)
    }

    @Test("of a minute only so many are told apart, and none is lost")
    func flood() {
        var book = RefusalBook()
        for number in 0..<RefusalBook.mostKeys + 500 { book.count(key(number), at: 7) }
        book.count(key(0), at: 7)
        let found = book.take()
        #expect(found.count == RefusalBook.mostKeys + 1)
        #expect(found.first { $0.key == RefusalCount.Key(othersOf: .callers) }?.count == 500)
        #expect(found.first { $0.key == key(0) }?.count == 2)
        #expect(found.reduce(0) { $0 + $1.count } == Int64(RefusalBook.mostKeys + 501))
    }

    @Test("a flood of callers hides no refused operator")
    func listeners() {
        var book = RefusalBook()
        for number in 0..<RefusalBook.mostKeys + 1 { book.count(key(number), at: 7) }
        let key = RefusalCount.Key(.operators, name: nil, client: nil, code: 2005)
        book.count(key, at: 7)
        #expect(book.take().contains(RefusalCount(key, minute: 7, count: 1)))
    }

    @Test("minutes that nobody takes are dropped, the oldest first, and counted")
    func untaken() {
        var book = RefusalBook()
        for minute: Int64 in 1...12 { book.count(key(1), at: minute, times: minute) }
        #expect(book.dropped == 1 + 2)
        #expect(book.take().map(\.minute) == Array(3...12))
    }

    @Test(
        "a claimed name is cut, and what nobody sees in it is escaped",
        arguments: [
            ("demo", "demo"), ("a\nb", "a\\u000ab"), ("\u{202E}x", "\\u202ex"), ("\u{1B}[2J", "\\u001b[2J"),
            (String(repeating: "名", count: 30), String(repeating: "名", count: 21) + "…"),
        ])
    func names(sent: String, shown: String) {
        #expect(RefusalCount.Key(.callers, name: sent, client: nil, code: 1).name == ExactText(shown))
    }

    @Test("an IPv6 address stands for its network, an IPv4 address for itself")
    func networks() {
        let six = RefusalCount.Key(.operators, name: nil, client: IPAddress("2001:db8:1:2:3:4:5:6"), code: 1)
        #expect(six.client == IPAddress("2001:db8:1:2::"))
        #expect(RefusalCount.Key(.operators, name: nil, client: IPAddress("192.0.2.7"), code: 1).client == IPAddress("192.0.2.7"))
    }
}
