internal import Base
internal import Push

/// How a node fares, for whoever asks from another thread.
final class NodeFigures: Sendable {
    private struct Figures: Sendable {
        var health = Health.unreachable(
            reason: BilingualText("数据库尚未应答", "the database has not answered yet"))
        var hindrance: Hindrance?
        var waiting = 0
        /// Since when the oldest push waits, on the monotonic clock.
        var oldest: Int64?
        var holdTimes = HoldTimes()
        /// What it has met, and how far it was at its last renewal.
        var standing = NodeStanding()
        var audit = AuditCounts()
    }

    private let figures = Locked(Figures())

    /// Why pushes are taken by nobody here though the database answers, as long as that counts.
    var hindrance: Hindrance? {
        get { figures.withLock { $0.hindrance } }
        set { figures.withLock { $0.hindrance = newValue } }
    }

    var health: Health {
        get { figures.withLock { $0.health } }
        set { figures.withLock { $0.health = newValue } }
    }

    /// Changes have no session any more: whoever asks from now on is told so.
    func lost(_ reason: BilingualText) {
        figures.withLock { if $0.health == .serving { $0.health = .unreachable(reason: reason) } }
    }

    var holdTimes: HoldTimes { figures.withLock { $0.holdTimes } }

    func status(with health: Health) -> StoreStatus {
        figures.withLock { figures in
            var status = StoreStatus(
                health: health, waiting: figures.waiting,
                longestWait: figures.oldest.map { MonotonicClock.nanoseconds - $0 } ?? 0)
            status.audit = figures.audit
            return status
        }
    }

    var standing: NodeStanding { figures.withLock { $0.standing } }

    /// The lease was renewed.
    /// - Parameters:
    ///   - lag: how many positions the loops had still to apply.
    ///   - primary: the server that has done it.
    func renewed(behind lag: UInt64, by primary: String?) {
        figures.withLock { ($0.standing.lag, $0.standing.primary) = (Int64(clamping: lag), primary) }
    }

    /// Whether commits wait for no standby.
    func found(withoutStandby: Bool) { figures.withLock { $0.standing.hasNoStandby = withoutStandby } }

    /// Whether the database's functions are those of another build.
    func found(foreignFunctions: Bool) { figures.withLock { $0.standing.hasForeignFunctions = foreignFunctions } }

    /// Another server has become the primary.
    func countSwitch() { figures.withLock { $0.standing.switches += 1 } }

    /// So many pushes wait, the oldest of them since then.
    func wait(_ count: Int, since oldest: Int64?) { figures.withLock { ($0.waiting, $0.oldest) = (count, oldest) } }

    /// A piece of work took so many nanoseconds.
    func record(_ piece: HoldTimes.Piece, _ nanoseconds: Int64) {
        figures.withLock { $0.holdTimes.record(piece, nanoseconds) }
    }

    /// So many entries of the audit log were written.
    func recorded(_ count: Int) { figures.withLock { $0.audit.entries += count } }

    /// So many will never be.
    func lose(_ count: Int) { figures.withLock { $0.audit.lost += count } }

    /// So many refusals were counted.
    func countedRefusals(_ count: Int) { figures.withLock { $0.audit.refusals += count } }

    /// One call has decided so many pushes, of which the oldest had waited so long.
    func record(_ batch: Int, waited: Int64, took: Int64) {
        figures.withLock { figures in
            figures.holdTimes.batches.record(Int64(batch))
            figures.holdTimes.waits.record(waited)
            figures.holdTimes.record(.commit, took)
        }
    }
}
