internal import Base
internal import StoreCore

/// A run of the log's entries by target, `out_biz_no` and tag. Written by the writer while it is active, by nobody afterwards.
final class Generation: Sendable {
    struct BizKey: Hashable {
        let app: Int64
        let hash: Int64
    }
    struct TagKey: Hashable {
        let app: Int64
        let tag: ExactText
    }
    struct Entry {
        let seq: UInt64
        let target: TargetKey
        let app: Int64
        let bizHash: Int64?
        let tag: ExactText?
    }

    private struct State {
        var entries: [Entry] = []
        /// By ``TargetKey``'s number.
        var targets: [Int64: Positions] = [:]
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

    var isEmpty: Bool { state.withLock { $0.entries.isEmpty } }

    var count: Int { state.withLock { $0.entries.count } }

    /// The position of its oldest entry.
    var first: UInt64? { state.withLock { $0.entries.first?.seq } }

    /// Its entries in the order of each index, sorted when they are asked for first: one after the other, since a sort takes some
    /// milliseconds.
    ///
    /// Numbers are sorted as they are, which is faster than by their keys with a look-up each. Tags by their keys, whose
    /// positions are in order already: a tag that all have is compared with no other.
    final class Sorted {
        private let entries: [Entry]
        private let byTag: [TagKey: Positions]
        /// How many there are of each.
        let (targetCount, bizCount, tagCount): (Int, Int, Int)
        /// The newest position.
        let last: UInt64?

        fileprivate init(_ entries: [Entry], byTag: [TagKey: Positions]) {
            self.entries = entries
            self.byTag = byTag
            last = entries.last?.seq
            targetCount = entries.count
            bizCount = entries.count { $0.bizHash != nil }
            tagCount = entries.count { $0.tag != nil }
        }

        lazy var targets: [(target: Int64, seq: UInt64)] = entries.map { ($0.target.raw, $0.seq) }.sorted { $0 < $1 }

        lazy var biz: [(app: Int64, hash: Int64, seq: UInt64)] =
            entries.compactMap { entry in entry.bizHash.map { (entry.app, $0, entry.seq) } }.sorted { $0 < $1 }

        lazy var tags: [(app: Int64, tag: ExactText, seq: UInt64)] = {
            var sorted: [(app: Int64, tag: ExactText, seq: UInt64)] = []
            for (key, positions) in byTag.sorted(by: { ($0.key.app, $0.key.tag) < ($1.key.app, $1.key.tag) }) {
                for seq in positions.all { sorted.append((key.app, key.tag, seq)) }
            }
            return sorted
        }()

        var count: Int { targetCount + bizCount + tagCount }
    }

    var sorted: Sorted {
        let (entries, tags) = state.withLock { ($0.entries, $0.tags) }
        return Sorted(entries, byTag: tags)
    }

    func append(_ entry: Entry) {
        state.withLock { state in
            state.entries.append(entry)
            state.targets[entry.target.raw, default: Positions()].append(entry.seq)
            if let hash = entry.bizHash { state.biz[BizKey(app: entry.app, hash: hash), default: Positions()].append(entry.seq) }
            if let tag = entry.tag { state.tags[TagKey(app: entry.app, tag: tag), default: Positions()].append(entry.seq) }
        }
    }

    /// Takes back what was appended after `head`: its transaction was rolled back.
    func rollback(to head: UInt64) {
        state.withLock { state in
            while let last = state.entries.last, last.seq > head {
                state.entries.removeLast()
                Self.removeLast(from: &state.targets, last.target.raw)
                if let hash = last.bizHash { Self.removeLast(from: &state.biz, BizKey(app: last.app, hash: hash)) }
                if let tag = last.tag { Self.removeLast(from: &state.tags, TagKey(app: last.app, tag: tag)) }
            }
        }
    }

    /// Positions of rows for `target`, `after` < seq < `before`, ascending, at most `limit`.
    func positions(of target: TargetKey, after: UInt64, before: UInt64, limit: Int) -> [UInt64] {
        state.withLock { state in
            guard let positions = state.targets[target.raw], positions.last > after else { return [] }
            return positions.between(after, before, limit: limit)
        }
    }

    func positions(ofApp app: Int64, bizHash: Int64) -> [UInt64] {
        state.withLock { $0.biz[BizKey(app: app, hash: bizHash)]?.all ?? [] }
    }

    /// Positions of an app's tasks with a tag, `after` < seq < `before`, ascending, at most `limit`.
    func positions(ofApp app: Int64, tag: ExactText, after: UInt64, before: UInt64, limit: Int) -> [UInt64] {
        state.withLock { state in
            guard let positions = state.tags[TagKey(app: app, tag: tag)], positions.last > after else { return [] }
            return positions.between(after, before, limit: limit)
        }
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
