/// What a swarm has counted.
struct Tally: Codable, Sendable {
    /// Connected, and subscribed where that was asked for.
    var ready = 0
    /// Refused, or closed by the server.
    var lost = 0
    /// Answered, well or not, on a connection that took up an earlier TLS session.
    var resumed = 0
    /// On the way: TCP, CONNECT or SUBSCRIBE not yet answered.
    var opening = 0
    /// PUBLISH packets.
    var received = 0
    /// Their size in bytes, header and all.
    var bytes = 0
    /// Of these: with a mark.
    var marked = 0
    /// Of these: with a sequence that the device had already had, or that is older.
    var repeated = 0
    /// Of the groupcasts: sequences that a device was never sent before a later one.
    var missing = 0
    /// Acknowledgements sent.
    var acknowledged = 0
    /// Reads that delivered them: what was batched.
    var reads = 0
    /// Why the last one was lost.
    var lastLoss: String?

    mutating func resetMessages() {
        (received, bytes, marked, repeated, missing, acknowledged, reads) = (0, 0, 0, 0, 0, 0, 0)
    }

    mutating func add(_ other: Tally) {
        ready += other.ready
        lost += other.lost
        resumed += other.resumed
        opening += other.opening
        received += other.received
        bytes += other.bytes
        marked += other.marked
        repeated += other.repeated
        missing += other.missing
        acknowledged += other.acknowledged
        reads += other.reads
        lastLoss = lastLoss ?? other.lastLoss
    }
}
