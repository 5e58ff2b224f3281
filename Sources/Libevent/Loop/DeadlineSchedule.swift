/// The arithmetic of a `DeadlineWheel`: which slots are due at which tick. It knows no clock.
///
/// Slots stand in one of `bucketCount` rings by the tick that they are looked at next. Moving a deadline further away, which is
/// what every packet of a device does, only writes a number: the slot is found at its old place, and put where it belongs by
/// then.
struct DeadlineSchedule {
    private static let bucketCount: Int64 = 512
    private static let none: Int32 = -1

    private struct Slot {
        var deadline: Int64 = 0
        /// The tick by which it stands in a ring; -1: it stands in none.
        var visit: Int64 = -1
        var next = DeadlineSchedule.none
        var previous = DeadlineSchedule.none
    }

    private var slots: [Slot] = []
    private var heads = [Int32](repeating: none, count: Int(bucketCount))
    /// Everything up to this tick has been looked at.
    private(set) var now: Int64 = 0
    /// How many slots have a deadline.
    private(set) var count = 0

    /// Sets or moves the deadline of a slot to a tick; one that is not in the future is due at the next.
    mutating func set(_ slot: Int, to tick: Int64) {
        precondition(slot >= 0 && slot < Int32.max)
        while slots.count <= slot { slots.append(contentsOf: repeatElement(Slot(), count: max(16, slots.count))) }
        let tick = max(tick, now + 1)
        slots[slot].deadline = tick
        let visit = slots[slot].visit
        if visit < 0 {
            count += 1
            link(slot, at: tick)
        } else if tick < visit {
            unlink(slot)
            link(slot, at: tick)
        }
    }

    /// Forgets a slot; one without a deadline is none.
    mutating func remove(_ slot: Int) {
        guard slots.indices.contains(slot), slots[slot].visit >= 0 else { return }
        unlink(slot)
        count -= 1
    }

    /// Jumps to a tick while nothing is scheduled.
    mutating func startAnew(at tick: Int64) {
        precondition(count == 0)
        now = max(now, tick)
    }

    /// Goes on to `tick` and returns the slots whose deadline has come, which have none any more; by tick, in no order within
    /// one.
    mutating func advance(to tick: Int64) -> [Int] {
        var due: [Int] = []
        while now < tick && count > 0 {
            now += 1
            collect(&due)
        }
        now = max(now, tick)
        return due
    }

    private mutating func collect(_ due: inout [Int]) {
        var current = heads[Int(now % Self.bucketCount)]
        while current != Self.none {
            let slot = Int(current)
            current = slots[slot].next
            // A later round of this ring.
            if slots[slot].visit > now { continue }
            unlink(slot)
            if slots[slot].deadline > now {
                link(slot, at: slots[slot].deadline)
            } else {
                count -= 1
                due.append(slot)
            }
        }
    }

    private mutating func link(_ slot: Int, at tick: Int64) {
        let bucket = Int(tick % Self.bucketCount)
        let head = heads[bucket]
        slots[slot].visit = tick
        slots[slot].next = head
        slots[slot].previous = Self.none
        if head != Self.none { slots[Int(head)].previous = Int32(slot) }
        heads[bucket] = Int32(slot)
    }

    private mutating func unlink(_ slot: Int) {
        let (next, previous) = (slots[slot].next, slots[slot].previous)
        if previous == Self.none {
            heads[Int(slots[slot].visit % Self.bucketCount)] = next
        } else {
            slots[Int(previous)].next = next
        }
        if next != Self.none { slots[Int(next)].previous = previous }
        slots[slot].visit = -1
    }
}
