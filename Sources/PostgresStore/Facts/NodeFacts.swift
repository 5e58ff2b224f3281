internal import Push
internal import StoreCore

/// What devices acknowledged here: bitmaps of this node's own, written whole, and how far its devices are. Telling a fact twice
/// counts once.
struct NodeFacts {
    /// A bitmap of the table `receipt`.
    struct Key: Hashable {
        let task: UInt64
        let mark: TaskReceipts.Mark
        let chunk: UInt32
    }

    /// What a position of the log is to a fact.
    struct Place {
        let task: UInt64
        let isUnicast: Bool
    }

    /// How many positions are remembered, since acknowledgements of them come soon.
    private static let mostPlaces = 131_072
    private static let mostBitmaps = 8_192
    /// How many facts may wait while nothing can be written. Above it none are taken, and their messages come again.
    static let most = 131_072

    private var places: [UInt64: Place] = [:]
    /// In the order in which they came.
    private var placed = RingQueue<UInt64>()
    /// Facts of positions that nobody here remembers.
    private(set) var unplaced: [Delivery] = []
    /// What was written, or read, or changed.
    private var bitmaps: [Key: OrdinalSet] = [:]
    /// Members of bitmaps that have to be read first.
    private var added: [Key: [UInt16]] = [:]
    private var dirty: Set<Key> = []
    /// Unicasts that were settled and are not written.
    private var unicasts: Set<Key> = []
    private(set) var cursors: [UInt32: UInt64] = [:]
    private(set) var waiting = 0

    var isEmpty: Bool { unplaced.isEmpty && dirty.isEmpty && unicasts.isEmpty }
    var isFull: Bool { waiting >= Self.most }

    mutating func learn(_ seq: UInt64, task: UInt64, isUnicast: Bool) {
        guard places.updateValue(Place(task: task, isUnicast: isUnicast), forKey: seq) == nil else { return }
        placed.append(seq)
        if placed.count > Self.mostPlaces, let oldest = placed.popFirst() { places[oldest] = nil }
    }

    mutating func settle(_ delivery: Delivery) {
        let ordinal = delivery.device.ordinal
        cursors[ordinal] = max(cursors[ordinal] ?? 0, delivery.settledUpTo.raw)
        waiting += 1
        guard let place = places[delivery.position.raw] else { return unplaced.append(delivery) }
        mark(delivery, place)
    }

    /// What the facts were about that nobody here remembered, and of which the log was asked. A position that is not in the log
    /// any more is settled with it.
    mutating func place(_ asked: Set<UInt64>, _ found: [UInt64: Place]) {
        let facts = unplaced
        unplaced = facts.filter { !asked.contains($0.position.raw) }
        for fact in facts where asked.contains(fact.position.raw) {
            if let place = found[fact.position.raw] { mark(fact, place) }
        }
    }

    private mutating func mark(_ delivery: Delivery, _ place: Place) {
        let ordinal = delivery.device.ordinal
        let mark: TaskReceipts.Mark =
            switch delivery.kind {
            case .delivered: .delivered
            case .skipped: .skipped
            case .rejected: .rejected
            }
        if place.isUnicast {
            unicasts.insert(Key(task: place.task, mark: mark, chunk: 0))
            return
        }
        let key = Key(task: place.task, mark: mark, chunk: ordinal >> 16)
        let member = UInt16(truncatingIfNeeded: ordinal)
        if let set = bitmaps[key] { _ = set.insert(member) } else { added[key, default: []].append(member) }
        dirty.insert(key)
    }

    // MARK: Writing

    /// What one call writes.
    struct Changes {
        /// Whole bitmaps.
        fileprivate(set) var bitmaps: [(key: Key, bits: [UInt8])] = []
        fileprivate(set) var unicasts: Set<Key> = []
        /// How many facts they hold.
        fileprivate(set) var count = 0
        var isEmpty: Bool { bitmaps.isEmpty && unicasts.isEmpty }
    }

    /// Bitmaps that have to be read before they can be written.
    var unread: [Key] { Array(added.keys) }

    /// A bitmap as it was written; `nil`: it was not.
    mutating func read(_ key: Key, _ bytes: [UInt8]?) {
        guard let set = bytes.flatMap({ OrdinalSet(serialized: $0) }) ?? OrdinalSet() else { return }
        for member in added.removeValue(forKey: key) ?? [] { _ = set.insert(member) }
        bitmaps[key] = set
    }

    /// What is to be written now.
    mutating func takeChanges() -> Changes {
        var changes = Changes()
        for key in dirty { if let set = bitmaps[key] { changes.bitmaps.append((key, set.serialized)) } }
        for change in changes.bitmaps { dirty.remove(change.key) }
        changes.unicasts = unicasts
        unicasts.removeAll(keepingCapacity: true)
        changes.count = waiting
        return changes
    }

    mutating func wrote(_ changes: Changes) {
        waiting -= changes.count
        if bitmaps.count > Self.mostBitmaps { bitmaps = bitmaps.filter { dirty.contains($0.key) } }
    }

    /// Nobody knows whether they are written: once more.
    mutating func takeBack(_ changes: Changes) {
        for change in changes.bitmaps { dirty.insert(change.key) }
        unicasts.formUnion(changes.unicasts)
    }

    /// They were not written: unless they have gone on meanwhile.
    mutating func takeBack(_ former: [UInt32: UInt64]) { cursors.merge(former) { max($0, $1) } }

    mutating func takeCursors() -> [UInt32: UInt64] {
        defer { cursors.removeAll(keepingCapacity: true) }
        return cursors
    }
}
