internal import Push

/// The rows that not every session has been offered yet, and the walk that offers them.
///
/// The walk goes over all session slots in rounds. A row that is queued while the walk stands at a slot is finished when the
/// next round comes to that slot: by then every session that was there has been visited. Sessions that come later begin by
/// catching up.
struct SweepQueue {
    struct Item {
        /// The row's position.
        let position: Position
        /// The last position before the row.
        fileprivate(set) var predecessor: Position
        /// The row's number in the ring.
        let number: Int
        fileprivate let round: UInt64
        fileprivate let slot: Int
    }

    private var items: [Item] = []
    private var head = 0
    private var round: UInt64 = 0
    /// The slot that is visited next.
    private(set) var slot = 0

    var isEmpty: Bool { head == items.count }
    var count: Int { items.count - head }
    /// The newest row that is queued.
    var last: Item? { items.last }

    subscript(index: Int) -> Item { items[head + index] }

    mutating func append(number: Int, position: Position, predecessor: Position) {
        items.append(Item(position: position, predecessor: predecessor, number: number, round: round, slot: slot))
    }

    /// Rows before that number have left the ring: one item stands for all of them, so that the queue is bounded by the ring.
    /// Who has not been offered them catches up.
    mutating func merge(before firstNumber: Int) {
        while count >= 2, self[0].number < firstNumber, self[1].number < firstNumber {
            items[head + 1].predecessor = items[head].predecessor
            head += 1
        }
    }

    /// The index of the oldest row after `position`; ``count`` when there is none.
    func index(after position: Position) -> Int {
        guard let last = items.last, last.position > position else { return count }
        var low = head
        var high = items.count - 1
        while low < high {
            let middle = (low + high) / 2
            if items[middle].position > position { high = middle } else { low = middle + 1 }
        }
        return low - head
    }

    /// The walk has visited its slot; rows that every session has been offered leave the queue.
    mutating func advance(slotCount: Int) {
        slot += 1
        if slot >= slotCount {
            slot = 0
            round += 1
        }
        while head < items.count, items[head].round < round, items[head].slot <= slot || items[head].round + 1 < round {
            head += 1
        }
        if head == items.count {
            items.removeAll(keepingCapacity: items.capacity <= 1024)
            head = 0
            // With nothing queued the next walk may begin anywhere; the begin is where a small table ends at once.
            slot = 0
        } else if head >= 64, head * 2 > items.count {
            items.removeFirst(head)
            head = 0
        }
    }

    mutating func removeAll() {
        items = []
        head = 0
        slot = 0
    }
}
