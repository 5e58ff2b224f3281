/// A swarm's counts and latencies, of one process or of several together.
struct SwarmReport: Codable, Sendable {
    /// How many devices there are.
    var devices: Int
    var tally: Tally
    /// How many have received what was last waited for.
    var satisfied: Int
    /// From a mark's time to the device, in microseconds.
    var latency: Latencies.Summary?
    /// The whole histogram; see ``Latencies/buckets``.
    var buckets: [[UInt64]]?
    /// Of the process that is measured.
    var watched: ProcessUsage?
    /// Of the swarm itself.
    var own: ProcessUsage?
    /// Whether what was asked for was reached in time.
    var reached: Bool?
}

extension SwarmReport {
    /// Several reports as one; percentiles from the added histograms, and therefore only where these are at hand.
    static func sum(_ parts: [SwarmReport], withBuckets: Bool) -> SwarmReport {
        var sum = SwarmReport(devices: 0, tally: Tally(), satisfied: 0)
        var latencies = Latencies()
        for part in parts {
            sum.devices += part.devices
            sum.tally.add(part.tally)
            sum.satisfied += part.satisfied
            latencies.add(part.buckets ?? [])
            if let own = part.own { sum.own = sum.own.map { $0 + own } ?? own }
            if let reached = part.reached { sum.reached = (sum.reached ?? true) && reached }
        }
        sum.latency = latencies.summary
        if withBuckets { sum.buckets = latencies.buckets }
        return sum
    }
}
