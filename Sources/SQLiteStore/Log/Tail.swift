internal import Base

/// Rows of the log that the trailing indexes do not hold yet, found in memory.
///
/// A push is one row, by position; every other order (by target, `out_biz_no`, tag) would dirty a random page for each, so those
/// indexes are filled later, sorted and many at once. Until then their entries are here: sealed generations and an active one.
///
/// **The order that keeps rows from falling between the two:** a reader takes the tail first and begins its read transaction
/// then; the writer drops a generation only after the commit of its merge. A reader that took the tail before the drop finds the
/// rows in the generation; one that took it after sees them in the index.
final class Tail: Sendable {
    /// What a reader holds: it stays whole, whatever the writer drops meanwhile.
    struct View: Sendable {
        let generations: [Generation]
        /// The newest committed position. Entries past it are not to be believed: their transaction may not be done.
        let head: UInt64
    }

    private let state: Locked<View>

    init(head: UInt64) {
        state = Locked(View(generations: [Generation()], head: head))
    }

    /// As it is now. Taken before the snapshot is.
    var view: View { state.withLock { $0 } }

    /// The generation that takes new entries. Writer only.
    var active: Generation { state.withLock { $0.generations[$0.generations.count - 1] } }

    /// Whether the generation that takes new entries has any.
    var hasActive: Bool { state.withLock { $0.generations.last?.isEmpty == false } }

    /// Everything up to `head` is committed.
    func publish(head: UInt64) {
        state.withLock { $0 = View(generations: $0.generations, head: head) }
    }

    /// Generations that wait to be merged, oldest first.
    var sealed: [Generation] { state.withLock { Array($0.generations.dropLast()) } }

    /// Whether there are any of those.
    var isMerging: Bool { state.withLock { $0.generations.count > 1 } }

    /// The first row that no index holds yet. Writer only.
    var firstUnmerged: UInt64 {
        let generations = state.withLock { $0.generations }
        return generations.lazy.compactMap(\.first).first ?? UInt64.max
    }

    /// Ends the active generation and begins another. Writer only, between transactions.
    func seal() {
        let next = Generation(asLargeAs: active)
        state.withLock { $0 = View(generations: $0.generations + [next], head: $0.head) }
    }

    /// Forgets a generation whose merge is committed.
    func drop(_ generation: Generation) {
        state.withLock { view in
            view = View(generations: view.generations.filter { $0 !== generation }, head: view.head)
        }
    }
}
