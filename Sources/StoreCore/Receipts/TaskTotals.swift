package import Base
package import Push

// Tasks are summed up by app, tag and hour, so that statistics need not look at each.

/// Where a task is summed up with others.
package struct TotalKey: Hashable, Sendable {
    /// The number of the app.
    package let app: Int64
    package let tag: ExactText
    /// Of ``StoredRow/createdAt``, in hours since 1970.
    package let hour: Int64

    /// Milliseconds.
    package static var hourLength: Int64 { 3_600_000 }

    package init(app: Int64, tag: ExactText, createdAt: Int64) {
        self.app = app
        self.tag = tag
        hour = createdAt / Self.hourLength
    }

    /// `nil` for a row without a tag, and for a reference, which counts with the task that it names.
    package init?(_ row: StoredRow) {
        guard let tag = row.tag, row.reference == nil else { return nil }
        self.init(app: row.app, tag: tag, createdAt: row.createdAt)
    }
}

/// A task's counters that grow and shrink with its devices.
package struct TaskCounters: Hashable, Sendable {
    package var joined = 0
    package var delivered = 0
    package var withdrawn = 0
    package var skipped = 0
    package var rejected = 0
    package var opened = 0
    package var applied = 0
    package var failed = 0

    /// All zero.
    package init() {}

    /// What they add to the devices that are in no stored state.
    @inlinable
    package var rest: Int { joined - delivered - withdrawn - skipped - rejected }

    /// How many devices carry a mark.
    @inlinable
    package subscript(mark: TaskReceipts.Mark) -> Int {
        get {
            switch mark {
            case .delivered: delivered
            case .skipped: skipped
            case .withdrawn: withdrawn
            case .joined: joined
            case .rejected: rejected
            }
        }
        set {
            switch mark {
            case .delivered: delivered = newValue
            case .skipped: skipped = newValue
            case .withdrawn: withdrawn = newValue
            case .joined: joined = newValue
            case .rejected: rejected = newValue
            }
        }
    }
}

extension TaskReceipts {
    /// What the totals lack of the counters as they are now.
    /// - Parameter isExpired: whether the totals have the task among those that expired.
    package func change(isExpired: Bool) -> Counts {
        let (now, before) = (counters, stored)
        var change = Counts()
        change.targeted = now.joined - before.joined
        change.delivered = now.delivered - before.delivered
        change.withdrawn = now.withdrawn - before.withdrawn
        change.skippedOversize = now.skipped - before.skipped
        change.rejected = now.rejected - before.rejected
        change.opened = now.opened - before.opened
        change.applied = now.applied - before.applied
        change.failed = now.failed - before.failed
        change.add(rest: now.rest - before.rest, of: end, isExpired: isExpired)
        return change
    }
}

extension Counts {
    /// Counts devices that are in no stored state: under the name of their task's status.
    package mutating func add(rest: Int, of end: StoredRow.End, isExpired: Bool) {
        switch end {
        case .cancelled: cancelled += rest
        case .superseded: superseded += rest
        case .none where isExpired: expired += rest
        case .none: pending += rest
        }
    }
}
