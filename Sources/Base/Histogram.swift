/// How many of the values that were recorded are at most so large, for a few bounds: enough for a percentile at a glance, and a
/// handful of numbers however many values there are.
public struct Histogram: Hashable, Sendable {
    /// The largest value of each class but the last, which has no bound.
    public let bounds: [Int64]
    /// How many values fell into each class; one more than there are bounds.
    public private(set) var counts: [UInt64]
    /// All values together.
    public private(set) var sum: Int64 = 0

    /// Nothing recorded yet.
    /// - Parameter bounds: growing.
    public init(bounds: [Int64]) {
        self.bounds = bounds
        counts = [UInt64](repeating: 0, count: bounds.count + 1)
    }

    /// What somebody has counted by himself.
    /// - Parameter counts: one more than there are bounds.
    public init(bounds: [Int64], counts: [UInt64], sum: Int64) {
        precondition(counts.count == bounds.count + 1, "a class for each bound, and one above them")
        self.bounds = bounds
        self.counts = counts
        self.sum = sum
    }

    /// How many values were recorded.
    public var count: UInt64 { counts.reduce(0, +) }

    /// One more value.
    public mutating func record(_ value: Int64) {
        counts[bounds.firstIndex { value <= $0 } ?? bounds.count] += 1
        sum &+= value
    }

    /// Adds what another has recorded, by the same bounds.
    public static func += (all: inout Histogram, other: Histogram) {
        precondition(all.bounds == other.bounds, "histograms of different bounds")
        for index in all.counts.indices { all.counts[index] += other.counts[index] }
        all.sum &+= other.sum
    }
}
