/// How a server is emptied before it ends, so that balancers, callers and devices go elsewhere without an error or a storm.
struct Drain: Hashable, Sendable {
    /// How long it serves on and says that it is not ready: longer than balancers need to notice.
    let delay: Duration
    /// How many devices a second are disconnected, on all loops together; 0: all at once.
    let rate: Int

    init(_ configuration: ServerConfiguration) {
        delay = configuration.drainDelay
        rate = configuration.drainRate
    }

    /// Nothing is asked for: the end begins at once.
    var isEmpty: Bool { delay == .zero && rate == 0 }

    /// How long it takes with so many devices.
    func time(devices: Int) -> Duration {
        delay + (rate == 0 ? .zero : .milliseconds(Int64(devices) * 1_000 / Int64(rate)))
    }
}
