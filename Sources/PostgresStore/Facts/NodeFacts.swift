internal import Push
internal import StoreCore

/// What devices acknowledged here: bitmaps of this node's own, written whole, and how far its devices are. Telling a fact twice
/// counts once.
struct NodeFacts {
    /// A bitmap of the table `receipt`, or the device of a unicast.
    struct Key: Hashable {
        let task: UInt64
        let mark: TaskReceipts.Mark
        let chunk: UInt32
        /// The chunk of a unicast's device, which has no bitmap.
        static let only = UInt32.max
    }

    /// A device has told why it does not take a message.
    struct Rejection {
        let key: Key
        let ordinal: UInt32
        let reasonCode: UInt8
    }

    /// What a position of the log is to a fact.
    struct Place {
        let task: UInt64
        /// The device of a unicast. Others may have it by a reference.
        let only: UInt32?
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
    /// Tasks that a device has not taken: what else a device tells of them is compared with that.
    private var notTaken: Set<UInt64> = []
    private var rejections: [Rejection] = []
    /// What devices that are connected here have acknowledged beyond their cursors. Most have nothing.
    private var beyond: [UInt32: [UInt64]] = [:]
    private(set) var cursors: [UInt32: UInt64] = [:]
    private(set) var waiting = 0

    var isEmpty: Bool { unplaced.isEmpty && dirty.isEmpty && unicasts.isEmpty }
    var isFull: Bool { waiting >= Self.most }

    /// A row that was told. What a reference is to a device is looked up when it is acknowledged.
    mutating func learn(_ entry: LogEntry) {
        guard entry.kind != .reference else { return }
        learn(entry.seq, Place(task: entry.seq, only: entry.device))
    }

    private mutating func learn(_ seq: UInt64, _ place: Place) {
        guard places.updateValue(place, forKey: seq) == nil else { return }
        placed.append(seq)
        if placed.count > Self.mostPlaces, let oldest = placed.popFirst() { places[oldest] = nil }
    }

    /// - Parameter isConnected: whether the device has its connection here.
    mutating func settle(_ delivery: Delivery, isConnected: Bool) {
        let ordinal = delivery.device.ordinal
        let cursor = max(cursors[ordinal] ?? 0, delivery.settledUpTo.raw)
        cursors[ordinal] = cursor
        if isConnected { settle(ordinal, delivery.position.raw, upTo: cursor) }
        waiting += 1
        guard let place = places[delivery.position.raw] else { return unplaced.append(delivery) }
        mark(delivery, place)
    }

    /// What the facts were about that nobody here remembered, and of which the log was asked. A position that is not in the log
    /// any more is settled with it.
    mutating func place(_ asked: Set<UInt64>, _ found: [UInt64: Place]) {
        let facts = unplaced
        unplaced = facts.filter { !asked.contains($0.position.raw) }
        for (position, place) in found { learn(position, place) }
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
        let isOnly = place.only == ordinal
        let key = Key(task: place.task, mark: mark, chunk: isOnly ? Key.only : ordinal >> 16)
        let member = UInt16(truncatingIfNeeded: ordinal)
        if mark != .delivered { notTaken.insert(place.task) }
        if !notTaken.isEmpty, notTaken.contains(place.task), isKnown(member, otherwiseThan: key) { return }
        if case .rejected(let reasonCode) = delivery.kind {
            rejections.append(Rejection(key: key, ordinal: ordinal, reasonCode: reasonCode))
        }
        if isOnly {
            unicasts.insert(key)
            return
        }
        if let set = bitmaps[key] { _ = set.insert(member) } else { added[key, default: []].append(member) }
        dirty.insert(key)
    }

    /// Whether a device has told something else of a task before, as far as this is remembered. What it told first stays.
    private func isKnown(_ member: UInt16, otherwiseThan key: Key) -> Bool {
        [TaskReceipts.Mark.delivered, .skipped, .rejected].contains { mark in
            guard mark != key.mark else { return false }
            let other = Key(task: key.task, mark: mark, chunk: key.chunk)
            if key.chunk == Key.only { return unicasts.contains(other) }
            return bitmaps[other]?.contains(member) ?? added[other]?.contains(member) ?? false
        }
    }

    // MARK: Beyond cursors

    /// A device that has its connection here from now on: what it had acknowledged beyond its cursor.
    mutating func begin(_ ordinal: UInt32, beyond positions: [UInt64]) {
        beyond[ordinal] = positions.isEmpty ? nil : positions
    }

    /// The connection is over.
    /// - Returns: what it acknowledged beyond its cursor.
    mutating func end(_ ordinal: UInt32) -> [UInt64] { beyond.removeValue(forKey: ordinal) ?? [] }

    private mutating func settle(_ ordinal: UInt32, _ position: UInt64, upTo cursor: UInt64) {
        // In order, as nearly always: nothing lies beyond the cursor.
        if position <= cursor && beyond.isEmpty { return }
        var ahead = beyond[ordinal] ?? []
        ahead.removeAll { $0 <= cursor }
        if position > cursor, !ahead.contains(position) { ahead.append(position) }
        beyond[ordinal] = ahead.isEmpty ? nil : ahead
    }

    /// What some devices have acknowledged beyond their cursors.
    func beyond(of ordinals: [UInt32]) -> [(ordinal: UInt32, position: UInt64)] {
        beyond.isEmpty ? [] : ordinals.flatMap { ordinal in (beyond[ordinal] ?? []).map { (ordinal, $0) } }
    }

    // MARK: Writing

    /// What one call writes.
    struct Changes {
        /// Whole bitmaps.
        fileprivate(set) var bitmaps: [(key: Key, bits: [UInt8])] = []
        fileprivate(set) var unicasts: Set<Key> = []
        fileprivate(set) var rejections: [Rejection] = []
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
        changes.rejections = rejections
        rejections = []
        changes.count = waiting
        return changes
    }

    mutating func wrote(_ changes: Changes) {
        waiting -= changes.count
        if bitmaps.count > Self.mostBitmaps { bitmaps = bitmaps.filter { dirty.contains($0.key) } }
        if notTaken.count > Self.mostBitmaps { notTaken.removeAll() }
    }

    /// Others have told otherwise of these devices before.
    /// - Returns: the bitmap without them.
    mutating func leaveOut(_ bytes: [UInt8], of key: Key) -> [UInt8]? {
        guard let set = bitmaps[key], let others = OrdinalSet(serialized: bytes) else { return nil }
        set.subtract(others)
        return set.serialized
    }

    /// Whether a device is still counted as one that has rejected a message.
    func isCounted(_ rejection: Rejection, without refused: Set<Key>) -> Bool {
        if rejection.key.chunk == Key.only { return !refused.contains(rejection.key) }
        return bitmaps[rejection.key]?.contains(UInt16(truncatingIfNeeded: rejection.ordinal)) ?? false
    }

    /// Nobody knows whether they are written: once more.
    mutating func takeBack(_ changes: Changes) {
        for change in changes.bitmaps { dirty.insert(change.key) }
        unicasts.formUnion(changes.unicasts)
        rejections = changes.rejections + rejections
    }

    /// They were not written: unless they have gone on meanwhile.
    mutating func takeBack(_ former: [UInt32: UInt64]) { cursors.merge(former) { max($0, $1) } }

    mutating func takeCursors() -> [UInt32: UInt64] {
        defer { cursors.removeAll(keepingCapacity: true) }
        return cursors
    }
}
