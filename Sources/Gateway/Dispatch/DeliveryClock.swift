/// The time by which a row has expired or not: one for all lanes of a loop, read once for each entry into the shard.
///
/// Whoever delivers asks this and no other clock, so that it is one place that decides by which time is delivered, and whether
/// at all.
final class DeliveryClock {
    /// Unix milliseconds.
    var now: Int64 = 0
    /// The same moment on the clock that never jumps: what messages are sent at.
    var tick = Tick(0)
}
