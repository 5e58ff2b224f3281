internal import Base
internal import Postgres
internal import Push

/// Why pushes come to nothing though the database answers a node and renews its lease: its disk is full, or somebody keeps the
/// log's lane. Balancers are told that the node is not ready. Pushes that come all the same are tried, and one that succeeds ends
/// it. As who is not ready gets none, so does time, or that the lane is seen to go on.
struct Hindrance {
    let reason: BilingualText
    /// Up to when it counts, on the monotonic clock; `nil`: until the lane goes on.
    private let end: Int64?
    /// Who had the lane when it was looked at last.
    var holder: String?

    /// After the last push that came to nothing, in nanoseconds: longer than balancers look once more.
    private static let time: Int64 = 5_000_000_000

    /// For how long it is told beyond that: whoever looks now and then would miss it between two pushes that fail.
    private static let told: Int64 = 120_000_000_000

    var counts: Bool { end.map { MonotonicClock.nanoseconds < $0 } ?? true }
    var isTold: Bool { end.map { MonotonicClock.nanoseconds < $0 + Self.told } ?? true }
    var isOfTheLane: Bool { end == nil }

    /// - Parameter outcome: of a call that decides pushes; `nil` where that tells of no hindrance. What has failed by what was
    ///   pushed is none: everybody would be refused for one.
    init?(_ outcome: PostgresOutcome) {
        let later = MonotonicClock.nanoseconds + Self.time
        switch outcome {
        case .failed(let error) where error.state == "53100": (reason, end) = (Self.full, later)
        case .failed(let error) where error.state.isOfResources || error.state.isOfStorage || error.state.isOfSchema:
            (reason, end) = (outcome.wordsWithRemedy, later)
        // Where its time is over a call is cancelled, or its session given up.
        case .failed(let error) where error.state == .queryCanceled: (reason, end) = (Self.late, nil)
        case .unknown(.late), .unknown(.lost(.unresponsive)): (reason, end) = (Self.late, nil)
        default: return nil
        }
    }

    private static let full = BilingualText("数据库的磁盘已满：请腾出空间", "the database's disk is full: make room on it")
    private static let late = BilingualText(
        "数据库没有及时应答推送：可能有会话一直占着日志的写入锁（pg_locks）",
        "the database does not answer pushes in time: a session may keep the lock by which the log is written (pg_locks)")
}

extension StoreNode {
    /// What the call has told that decided some pushes.
    /// - Parameter stored: whether one of them was; refusals alone need no room.
    func judge(_ outcome: PostgresOutcome, stored: Bool) {
        if let hindrance = Hindrance(outcome) {
            if hindrance.isOfTheLane { tellSeldom("pushes come to nothing", hindrance.reason.english) }
            figures.hindrance = hindrance
        } else if let hindrance = figures.hindrance, case .rows = outcome, stored || hindrance.isOfTheLane {
            figures.hindrance = nil
        }
    }

    /// Looks whether the lane goes on, where it did not: whether it is another transaction's than at the last look, or nobody's.
    /// Whoever is no node may keep it from one transaction to the next.
    func watchLane() async {
        guard let hindrance = figures.hindrance, hindrance.isOfTheLane, !isWatchingLane else { return }
        isWatchingLane = true
        defer { isWatchingLane = false }
        let call = PostgresCall(Self.holder, deadline: options.patience)
        guard case .rows(let rows) = await reads.call(call), var now = figures.hindrance, now.isOfTheLane else { return }
        let holder = (try? rows.text(0, 0)) ?? nil
        if let holder, now.holder == nil || now.holder == holder {
            now.holder = holder
            figures.hindrance = now
        } else {
            figures.hindrance = nil
        }
    }

    private static let holder = PostgresStatement(
        """
        SELECT max(CASE WHEN a.application_name LIKE 'psp %' THEN l.virtualtransaction ELSE l.pid::text END)
        FROM pg_catalog.pg_locks l LEFT JOIN pg_catalog.pg_stat_activity a USING (pid)
        WHERE locktype = 'advisory' AND classid = 1886613553 AND objid = 0 AND granted
          AND l.database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database())
        """)
}
