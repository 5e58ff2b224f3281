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
///
/// A stretch is kept as long as there may be a row in it, or something that was stamped in its time: none is ever dropped to make
/// room for another, since its rows would expire early and be seen at another time of day. See ``mayStep(to:at:)`` for what keeps
/// them few.
package struct Stretches: Sendable {
    /// By position, and by time. The first stands for everything before it too, whose steps are forgotten. Of several that begin
    /// after one position all but the last have no row; they tell how to read what was stamped in their time.
    package private(set) var all: [Stretch]

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

    /// So many are begun without a pause between them,
    private static let unhurried = 1_024
    /// and for each further such number a pause is so much longer, in milliseconds.
    private static let pause: Int64 = 600_000

    /// Whether a step may begin a stretch now. The pauses grow with their number: a clock that jumps without end makes some
    /// 3,000 in thirty days, and 30,000 in ten years of which nothing is forgotten. Until its pause is over a step is not seen in
    /// the times of new rows.
    ///
    /// Never put off is a step ahead of store time: what comes after it must not age when that follows. What still counts as
    /// ahead after a step back lives too long rather than too short.
    package func mayStep(to offset: Int64, at now: Int64) -> Bool {
        if Self.isAhead(offset) && !Self.isAhead(last.offset) { return true }
        return now - last.since >= Int64(all.count / Self.unhurried) * Self.pause
    }

    private static func isAhead(_ offset: Int64) -> Bool { offset > ClockRules.tolerance }

    /// The wall clock was found to have jumped: what comes after `head` belongs to a stretch of its own.
    package mutating func step(to offset: Int64, after head: UInt64, at now: Int64) {
        var since = now
        if last.after >= head, last.shift == 0 {
            // What was stamped while the clock was ahead without a break does not age by a part of that time.
            if Self.isAhead(last.offset) && Self.isAhead(offset) { since = last.since }
            removeLast(before: since)
        }
        // Back to where it was, and nothing came meanwhile.
        if let last = all.last, last.shift == 0, (last.offset - offset).magnitude <= ClockRules.tolerance.magnitude { return }
        all.append(Stretch(after: head, since: since, offset: offset))
    }

    /// The last one, which has no row, goes, unless it ends the time of one whose stamps are shifted.
    private mutating func removeLast(before since: Int64) {
        let isBoundary = all.count > 1 && all[all.count - 2].shift != 0
        if !isBoundary || last.since == since { all.removeLast() }
    }

    /// Store time is about to go forward by so much. What was accepted, and what was done, while the wall clock was ahead has not
    /// aged by it: its times go forward as well, and look the same to people. All that is older has.
    /// - Returns: the position after which that is so.
    package mutating func goForward(by time: Int64, after head: UInt64, at now: Int64) -> UInt64 {
        var first = all.count
        while first > 0, Self.isAhead(all[first - 1].offset) { first -= 1 }
        for index in first..<all.count {
            all[index].offset -= time
            all[index].shift += time
        }
        let concerned = first < all.count ? all[first].after : head
        all.append(Stretch(after: head, since: now + time, offset: 0))
        return concerned
    }

    /// Nothing is left of what came before that position.
    /// - Returns: whether anything was forgotten.
    package mutating func forget(before seq: UInt64) -> Bool {
        let index = index(of: seq)
        all.removeFirst(index)
        return index > 0
    }
}
