internal import Base
internal import Postgres
internal import Push

/// Why pushes come to nothing though the database answers a node and renews its lease: its disk is full, or somebody keeps the
/// log's lane. Balancers are told that the node is not ready. Pushes that come all the same are tried: one that succeeds ends it,
/// and so does time, as who is not ready gets none.
struct Hindrance {
    let health: Health
    /// Whether the lane is not had, which is seen without a push.
    let isOfTheLane: Bool
    /// Up to when it counts, on the monotonic clock.
    private let end: Int64

    /// After the last push that came to nothing, in nanoseconds: longer than balancers look once more.
    private static let time: Int64 = 5_000_000_000

    var counts: Bool { MonotonicClock.nanoseconds < end }

    /// - Parameter outcome: of a call that decides pushes; `nil` where that tells of no hindrance. What has failed by what was
    ///   pushed is none: everybody would be refused for one.
    init?(_ outcome: PostgresOutcome) {
        switch outcome {
        case .failed(let error) where error.state == "53100": (health, isOfTheLane) = (.full, false)
        case .failed(let error) where error.state.isOfResources || error.state.class == "58":
            (health, isOfTheLane) = (.blocked(reason: outcome.words), false)
        case .failed(let error) where error.state != .queryCanceled: return nil
        // Where its time is over a call is cancelled.
        case .unknown(.late), .unknown(.lost), .failed:
            let reason = BilingualText(
                "数据库没有及时应答推送：可能有会话一直占着日志的写入锁（pg_locks）",
                "the database does not answer pushes in time: a session may keep the lock by which the log is written (pg_locks)")
            (health, isOfTheLane) = (.blocked(reason: reason), true)
        default: return nil
        }
        end = MonotonicClock.nanoseconds + Self.time
    }
}

extension StoreNode {
    /// What the call has told that decided some pushes.
    func judge(_ outcome: PostgresOutcome) {
        if let hindrance = Hindrance(outcome) {
            figures.hindrance = hindrance
            tellSeldom("pushes come to nothing", hindrance.health.detail?.english ?? hindrance.health.name)
        } else if figures.hindrance != nil, case .rows = outcome {
            figures.hindrance = nil
        }
    }

    /// Looks whether the lane can be had again, where it could not.
    func probeLane() async {
        guard let hindrance = figures.hindrance, hindrance.isOfTheLane, isServing, !isProbing else { return }
        isProbing = true
        defer { isProbing = false }
        let outcome = await timely(lane, Statements.handOver) { fill(&$0, [] as [Detachment]) }
        if case .rows = outcome { figures.hindrance = nil } else { judge(outcome) }
    }
}
