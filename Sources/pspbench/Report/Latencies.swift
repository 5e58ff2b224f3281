internal import Histogram

/// Latencies in microseconds, to three digits, up to two minutes.
struct Latencies {
    private var histogram = Histogram<UInt64>(highestTrackableValue: 120_000_000)

    var count: UInt64 { histogram.totalCount }

    /// What is longer than two minutes counts as two minutes; a clock set back counts as nothing.
    mutating func record(_ microseconds: Int64) {
        _ = histogram.record(UInt64(min(max(microseconds, 0), 119_000_000)))
    }

    mutating func reset() { histogram.reset() }

    mutating func add(_ buckets: [[UInt64]]) {
        for bucket in buckets where bucket.count == 2 { _ = histogram.record(bucket[0], count: bucket[1]) }
    }

    /// Pairs of value and count: all of the histogram, so that several processes' can be added up.
    var buckets: [[UInt64]] { histogram.recordedValues().map { [$0.value, $0.count] } }

    var summary: Summary? {
        guard count > 0 else { return nil }
        return Summary(
            p50: histogram.valueAtPercentile(50), p90: histogram.valueAtPercentile(90), p99: histogram.valueAtPercentile(99),
            p999: histogram.valueAtPercentile(99.9), max: histogram.maxRecorded, mean: histogram.mean)
    }

    /// In microseconds.
    struct Summary: Codable, Sendable {
        var p50: UInt64
        var p90: UInt64
        var p99: UInt64
        var p999: UInt64
        var max: UInt64
        var mean: Double
    }
}
