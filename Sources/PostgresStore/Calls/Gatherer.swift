/// Things that go together in one call: while a call is on its way the next ones gather.
struct Gatherer<Item> {
    private(set) var waiting: [Item] = []
    private var isBusy = false
    /// Nothing waits, and nothing is on its way.
    var isIdle: Bool { !isBusy && waiting.isEmpty }

    /// - Returns: whether the caller has to begin working them off.
    mutating func add(_ item: Item) -> Bool {
        waiting.append(item)
        return begin()
    }

    private mutating func begin() -> Bool {
        if isBusy || waiting.isEmpty { return false }
        isBusy = true
        return true
    }

    /// Takes the first of them; none: the work is done.
    mutating func next(atMost limit: Int = .max) -> [Item] {
        guard !waiting.isEmpty else {
            isBusy = false
            return []
        }
        if waiting.count <= limit {
            defer { waiting = [] }
            return waiting
        }
        let items = Array(waiting.prefix(limit))
        waiting.removeFirst(limit)
        return items
    }

    /// The same by a rule of the caller's own.
    mutating func next<Batch>(_ take: (inout [Item]) -> Batch) -> Batch? {
        guard !waiting.isEmpty else {
            isBusy = false
            return nil
        }
        return take(&waiting)
    }

    /// All that waits, which is answered otherwise.
    mutating func removeAll() -> [Item] {
        defer { waiting = [] }
        return waiting
    }
}
