internal import Base

/// Rows of the log that the trailing indexes do not hold yet, found in memory.
///
/// A push is one row, by position; every other order (by target, `out_biz_no`, tag) would dirty a random page for each, so those
/// indexes are filled later, sorted and many at once. Until then their entries are here: sealed generations and an active one.
///
/// **The order that keeps rows from falling between the two:** a reader takes the tail first and begins its read transaction then;
/// the writer drops a generation only after the commit of its merge. A reader that took the tail before the drop finds the rows
/// in the generation; one that took it after sees them in the index.
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

    func take() -> View { state.withLock { $0 } }

    /// The generation that takes new entries. Writer only.
    var active: Generation { state.withLock { $0.generations[$0.generations.count - 1] } }

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

/// A run of the log's entries by target, `out_biz_no` and tag. Written by the writer while it is active, by nobody afterwards.
final class Generation: Sendable {
    struct BizKey: Hashable {
        let app: Int64
        let hash: Int64
    }
    struct TagKey: Hashable {
        let app: Int64
        let tag: String
    }
    struct Entry {
        let seq: UInt64
        let target: TargetKey
        let app: Int64
        let bizHash: Int64?
        let tag: String?
    }

    private struct State {
        var entries: [Entry] = []
        var targets: [TargetKey: Positions] = [:]
        var biz: [BizKey: Positions] = [:]
        var tags: [TagKey: Positions] = [:]
    }

    private let state: Locked<State>

    init() { state = Locked(State()) }

    /// With room for as much as another holds: tables that grow are filled twice over (600 instructions a row).
    init(asLargeAs other: Generation) {
        var new = State()
        other.state.withLock { old in
            new.entries.reserveCapacity(old.entries.count)
            new.targets.reserveCapacity(old.targets.count)
            new.biz.reserveCapacity(old.biz.count)
            new.tags.reserveCapacity(old.tags.count)
        }
        state = Locked(new)
    }

    var count: Int { state.withLock { $0.entries.count } }

    /// The position of its oldest entry.
    var first: UInt64? { state.withLock { $0.entries.first?.seq } }

    /// Its entries in the order of each index.
    struct Sorted {
        var targets: [(target: Int64, seq: UInt64)] = []
        var biz: [(app: Int64, hash: Int64, seq: UInt64)] = []
        var tags: [(app: Int64, tag: String, seq: UInt64)] = []
        /// The newest position.
        var last: UInt64?
        var count: Int { targets.count + biz.count + tags.count }
    }

    /// Numbers are sorted as they are, which is faster than by their keys with a look-up each. Tags by their keys, whose positions are in
    /// order already: a tag that all have is compared with no other.
    var sorted: Sorted {
        let (entries, tags) = state.withLock { ($0.entries, $0.tags) }
        var sorted = Sorted(last: entries.last?.seq)
        sorted.targets = entries.map { ($0.target.raw, $0.seq) }
        sorted.targets.sort { $0 < $1 }
        sorted.biz = entries.compactMap { entry in entry.bizHash.map { (entry.app, $0, entry.seq) } }
        sorted.biz.sort { $0 < $1 }
        for (key, positions) in tags.sorted(by: { ($0.key.app, $0.key.tag) < ($1.key.app, $1.key.tag) }) {
            for seq in positions.all { sorted.tags.append((key.app, key.tag, seq)) }
        }
        return sorted
    }

    func append(_ entry: Entry) {
        state.withLock { state in
            state.entries.append(entry)
            state.targets[entry.target, default: Positions()].append(entry.seq)
            if let hash = entry.bizHash { state.biz[BizKey(app: entry.app, hash: hash), default: Positions()].append(entry.seq) }
            if let tag = entry.tag { state.tags[TagKey(app: entry.app, tag: tag), default: Positions()].append(entry.seq) }
        }
    }

    /// Takes back what was appended after `head`: its transaction was rolled back.
    func rollback(to head: UInt64) {
        state.withLock { state in
            while let last = state.entries.last, last.seq > head {
                state.entries.removeLast()
                Self.removeLast(from: &state.targets, last.target)
                if let hash = last.bizHash { Self.removeLast(from: &state.biz, BizKey(app: last.app, hash: hash)) }
                if let tag = last.tag { Self.removeLast(from: &state.tags, TagKey(app: last.app, tag: tag)) }
            }
        }
    }

    /// Positions of rows for `target`, `after` < seq < `before`, ascending, at most `limit`.
    func rows(for target: TargetKey, after: UInt64, before: UInt64, limit: Int) -> [UInt64] {
        state.withLock { state in
            guard let positions = state.targets[target], positions.last > after else { return [] }
            return positions.between(after, before, limit: limit)
        }
    }

    func rows(app: Int64, bizHash: Int64) -> [UInt64] {
        state.withLock { $0.biz[BizKey(app: app, hash: bizHash)]?.all ?? [] }
    }

    func rows(app: Int64, tag: String) -> [UInt64] {
        state.withLock { $0.tags[TagKey(app: app, tag: tag)]?.all ?? [] }
    }

    private static func removeLast<Key: Hashable>(from lists: inout [Key: Positions], _ key: Key) {
        if lists[key]?.removeLast() == true { lists[key] = nil }
    }

    /// Positions under one key, ascending. Most keys have one, which takes no room of its own.
    struct Positions {
        /// 0 before the first: no row has that position.
        private var first: UInt64 = 0
        private var rest: [UInt64] = []

        var last: UInt64 { rest.last ?? first }
        var all: [UInt64] { first == 0 ? [] : [first] + rest }

        /// `after` < position < `before`, at most `limit`.
        func between(_ after: UInt64, _ before: UInt64, limit: Int) -> [UInt64] {
            let start = rest.partitioningIndex { $0 > after }
            let found = Array(rest[start...].prefix { $0 < before }.prefix(limit))
            guard first > after, first < before, limit > 0 else { return found }
            return [first] + found.prefix(limit - 1)
        }

        mutating func append(_ position: UInt64) { if first == 0 { first = position } else { rest.append(position) } }

        /// - Returns: whether there is none left.
        mutating func removeLast() -> Bool {
            if rest.popLast() == nil { first = 0 }
            return first == 0
        }
    }
}

extension Array {
    /// The first index whose element satisfies `belongs`, in an array partitioned by it.
    func partitioningIndex(where belongs: (Element) -> Bool) -> Int {
        var low = 0
        var high = count
        while low < high {
            let middle = (low + high) / 2
            if belongs(self[middle]) { high = middle } else { low = middle + 1 }
        }
        return low
    }
}
