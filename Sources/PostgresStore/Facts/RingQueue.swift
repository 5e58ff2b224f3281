/// The first in is the first out, without moving what is between.
struct RingQueue<Element> {
    private var items: [Element?] = []
    private var start = 0
    private(set) var count = 0

    mutating func append(_ item: Element) {
        if count == items.count { grow() }
        items[(start + count) % items.count] = item
        count += 1
    }

    mutating func popFirst() -> Element? {
        guard count > 0 else { return nil }
        defer {
            items[start] = nil
            start = (start + 1) % items.count
            count -= 1
        }
        return items[start]
    }

    private mutating func grow() {
        var larger: [Element?] = []
        larger.reserveCapacity(max(16, count * 2))
        for offset in 0..<count { larger.append(items[(start + offset) % items.count]) }
        larger.append(contentsOf: repeatElement(nil, count: max(16, count * 2) - count))
        (items, start) = (larger, 0)
    }
}
