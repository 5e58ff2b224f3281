import Testing

@testable import pspbench

@Suite("A script's orders")
struct OrderTests {
    @Test(
        "each is read from its line, and written as it",
        arguments: [
            ("connect", Order.connect), ("handshake", .handshake), ("wait connected 5", .wait(.connected, seconds: 5)),
            ("wait each 3 60", .wait(.each(3), seconds: 60)),
            ("wait total 1000 9", .wait(.total(1000), seconds: 9)), ("stall 10", .stall(10)), ("resume", .resume),
            ("hold", .hold),
            ("release", .release), ("cut", .cut),
            ("disconnect", .disconnect), ("reset", .reset), ("count", .count), ("report", .report), ("quit", .quit),
        ])
    func line(text: String, order: Order) {
        #expect(Order(text) == order)
        #expect(order.line == text)
    }

    @Test("a wait has a limit of its own when none is given")
    func defaultWait() { #expect(Order("wait each 3") == .wait(.each(3), seconds: Order.defaultWait)) }

    @Test(
        "anything else is none",
        arguments: ["", "wait", "wait each", "wait each x", "wait each 3 4 5", "stall", "stall -1", "connect now"])
    func none(text: String) { #expect(Order(text) == nil) }
}
