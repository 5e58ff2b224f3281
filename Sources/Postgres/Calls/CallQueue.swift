/// Calls in their order: the first in is the first out.
struct CallQueue {
    private var calls: [PendingCall] = []
    /// Where the first is, if there is any.
    private(set) var start = 0

    var count: Int { calls.count - start }
    var isEmpty: Bool { count == 0 }

    /// Where they are, first to last.
    var indices: Range<Int> { start..<calls.count }

    subscript(index: Int) -> PendingCall {
        _read { yield calls[index] }
        _modify { yield &calls[index] }
    }

    mutating func append(_ call: PendingCall) { calls.append(call) }

    mutating func popFirst() -> PendingCall? {
        guard !isEmpty else { return nil }
        let call = calls[start]
        start += 1
        if start == calls.count {
            calls.removeAll(keepingCapacity: true)
            start = 0
        } else if start >= 64, start * 2 > calls.count {
            calls.removeFirst(start)
            start = 0
        }
        return call
    }

    /// Takes out all whose deadline has passed.
    mutating func removeExpired(at now: Int64) -> [PendingCall] {
        guard indices.contains(where: { calls[$0].deadline <= now }) else { return [] }
        let expired = calls[start...].filter { $0.deadline <= now }
        calls = calls[start...].filter { $0.deadline > now }
        start = 0
        return expired
    }

    /// Takes out all.
    mutating func removeAll() -> ArraySlice<PendingCall> {
        defer {
            calls = []
            start = 0
        }
        return calls[start...]
    }

    /// The next deadline of any that is still to be answered.
    var nextDeadline: Int64? { calls[start...].lazy.filter { $0.answer != nil }.map(\.deadline).min() }
}
