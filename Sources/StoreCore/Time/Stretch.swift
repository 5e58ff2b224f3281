/// The positions between two steps of the wall clock, and how the times of their rows are read.
package struct Stretch: Hashable, Sendable {
    /// It begins after this position.
    package let after: UInt64
    /// Store time when it began, as it was counted then.
    package let since: Int64
    /// How far the wall clock was ahead of store time, in milliseconds: what people see is this much later than what is stored.
    package var offset: Int64
    /// By how much store time has gone forward since without its having passed, in milliseconds: what is stored is this much
    /// earlier than what it means now.
    package var shift: Int64

    @inlinable
    package init(after: UInt64, since: Int64, offset: Int64, shift: Int64 = 0) {
        (self.after, self.since, self.offset, self.shift) = (after, since, offset, shift)
    }
}

/// All stretches of a log. Within one, times follow positions; over a step of the wall clock what people see may go back, and
/// only positions are an order. Store time follows positions everywhere.
package struct Stretches: Sendable {
    /// By position. The first stands for everything before it too, whose steps are forgotten.
    package private(set) var all: [Stretch]

    /// So many steps are remembered: of a clock that jumps without end, the oldest are forgotten.
    package static let capacity = 1_024

    /// - Parameter all: by position, at least one.
    package init(_ all: [Stretch]) {
        precondition(!all.isEmpty, "a log has a stretch, from its beginning on")
        self.all = all
    }

    /// The stretch to which the next position belongs.
    package var last: Stretch { all[all.count - 1] }

    /// The stretch of a position.
    package subscript(seq: UInt64) -> Stretch { all[index(of: seq)] }

    /// The number of the stretch of a position.
    package func index(of seq: UInt64) -> Int {
        if last.after < seq { return all.count - 1 }
        return max(0, firstIndex { $0.after >= seq } - 1)
    }

    /// What a store time that was stamped on something at its moment means now.
    package func meaning(ofStamp time: Int64) -> Int64 {
        if last.since <= time { return time + last.shift }
        return time + all[max(0, firstIndex { $0.since > time } - 1)].shift
    }

    private func firstIndex(where belongs: (Stretch) -> Bool) -> Int {
        var (low, high) = (0, all.count)
        while low < high {
            let middle = (low + high) / 2
            if belongs(all[middle]) { high = middle } else { low = middle + 1 }
        }
        return low
    }

    // MARK: Changes

    /// The wall clock was found to have jumped: what comes after `head` belongs to a stretch of its own.
    package mutating func step(to offset: Int64, after head: UInt64, at now: Int64) {
        removeEmpty(after: head)
        all.append(Stretch(after: head, since: now, offset: offset))
        if all.count > Self.capacity { all.removeFirst() }
    }

    /// Store time is about to go forward by so much. What was accepted while the wall clock was ahead has not aged by it: its
    /// times go forward as well, and look the same to people. All that is older has.
    /// - Returns: the position after which that is so.
    package mutating func goForward(by time: Int64, after head: UInt64, at now: Int64) -> UInt64 {
        removeEmpty(after: head)
        var first = all.count
        while first > 0, all[first - 1].offset > ClockRules.tolerance { first -= 1 }
        for index in first..<all.count {
            all[index].offset -= time
            all[index].shift += time
        }
        let concerned = first < all.count ? all[first].after : head
        all.append(Stretch(after: head, since: now + time, offset: 0))
        if all.count > Self.capacity { all.removeFirst() }
        return concerned
    }

    /// A stretch without a row tells nobody anything.
    private mutating func removeEmpty(after head: UInt64) {
        if last.after >= head { all.removeLast() }
    }

    /// Nothing is left of what came before that position.
    /// - Returns: whether anything was forgotten.
    package mutating func forget(before seq: UInt64) -> Bool {
        let index = index(of: seq)
        all.removeFirst(index)
        return index > 0
    }
}
