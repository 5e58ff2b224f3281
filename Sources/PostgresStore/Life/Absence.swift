/// A time in which this node could not renew its lease, in microseconds since the boot. It may have stood still by itself, or the
/// database was away, to all.
struct Absence {
    let from: Int64
    let to: Int64

    /// After so long every node that lives has renewed its lease again: it has found the database by then, beside hosts that do
    /// not answer, and a renewal has followed.
    private static let patience: Int64 = 8_000_000

    /// Whether the other nodes may not have come back yet.
    func isRecent(at boot: Int64) -> Bool { boot < to + Self.patience }
}
