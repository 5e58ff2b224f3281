/// A time in which this node could not renew its lease, in microseconds since the boot. It may have stood still by itself, or the
/// database was away, to all.
struct Absence {
    let from: Int64
    let to: Int64

    /// After so long every node that lives has renewed its lease again: it has found the database by then, beside hosts that do
    /// not answer, and a renewal has followed.
    private static let patience: Int64 = 8_000_000

    /// - Parameters:
    ///   - from: when the lease was renewed last.
    ///   - earlier: the one before. Where others may not have come back from that yet, they are waited for from its beginning:
    ///     what this node has renewed between the two they may not have.
    ///   - isSame: whether the one before is not over yet.
    init(from: Int64, to: Int64, after earlier: Absence?, isSame: Bool) {
        let begun = earlier.flatMap { isSame || $0.isRecent(at: to) ? $0.from : nil }
        (self.from, self.to) = (begun ?? from, to)
    }

    /// Whether the other nodes may not have come back yet.
    func isRecent(at boot: Int64) -> Bool { boot < to + Self.patience }
}
