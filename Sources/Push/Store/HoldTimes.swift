public import Base

/// How long single pieces of work have kept everybody else from changing the store, since it was opened: a piece is short,
/// however much there is to do. A store measures it itself, where its changes have one order.
public struct HoldTimes: Sendable, Hashable {
    /// What the store was busy with.
    public enum Piece: Int, Sendable, Hashable, CaseIterable {
        /// One call that it decided.
        case call
        /// A part of what is done in slices: an import, or what follows from a change of the directory.
        case slice
        /// The end of a transaction, with its sync.
        case commit
        /// What it does for itself.
        case upkeep
    }

    /// One kind of piece.
    public struct Times: Sendable, Hashable {
        /// The longest, in nanoseconds.
        public var longest: Int64 = 0
        /// All of them together, in nanoseconds.
        public var sum: Int64 = 0
        /// How many took no longer than each of ``HoldTimes/bounds`` and longer than the one before; the last: longer than all.
        public var counts = [Int](repeating: 0, count: HoldTimes.bounds.count + 1)

        /// Nothing yet.
        public init() {}
    }

    /// In nanoseconds.
    public static let bounds: [Int64] = [
        100_000, 500_000, 1_000_000, 2_000_000, 5_000_000, 10_000_000, 20_000_000, 50_000_000,
        100_000_000, 500_000_000,
    ]

    private var times = [Times](repeating: Times(), count: Piece.allCases.count)
    /// The most steps of work for the directory that one transaction has done.
    public var mostSteps = 0
    /// What all this meant for those who wait: of each commit how long the call had waited that waited longest, from when it was
    /// handed in until it was on the disk, in nanoseconds.
    public var waits = Histogram(bounds: HoldTimes.bounds)
    /// How many calls each commit has answered.
    public var batches = Histogram(bounds: [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1_024])

    /// Nothing yet.
    public init() {}

    /// The times of one kind of piece.
    public subscript(piece: Piece) -> Times { times[piece.rawValue] }

    /// How long pieces of one kind took, in nanoseconds.
    public func times(of piece: Piece) -> Histogram {
        let times = self[piece]
        return Histogram(bounds: Self.bounds, counts: times.counts.map { UInt64($0) }, sum: times.sum)
    }

    /// A piece took so many nanoseconds.
    public mutating func record(_ piece: Piece, _ nanoseconds: Int64) {
        let bucket = Self.bounds.firstIndex { nanoseconds <= $0 } ?? Self.bounds.count
        times[piece.rawValue].counts[bucket] += 1
        times[piece.rawValue].sum += nanoseconds
        times[piece.rawValue].longest = max(times[piece.rawValue].longest, nanoseconds)
    }
}
