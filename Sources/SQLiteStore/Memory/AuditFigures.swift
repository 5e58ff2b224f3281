internal import Push
internal import Synchronization

/// What the writer has counted of the audit log since the store was opened, for whoever asks.
final class AuditFigures: Sendable {
    /// A number that one thread adds to.
    struct Count: ~Copyable, Sendable {
        private let number = Atomic<Int>(0)

        func add(_ more: Int) { number.wrappingAdd(more, ordering: .relaxed) }
        var value: Int { number.load(ordering: .relaxed) }
    }

    /// Entries that are in the file.
    let written = Count()
    /// Entries that are missing: they found no room while nothing could be written, or in their operator's bounds, or could never
    /// be written. The file has entries that tell of as many, but for those after which nothing could be written any more.
    let lost = Count()
    /// Refusals that are counted in the file.
    let refusals = Count()

    /// As of now.
    var counts: AuditCounts {
        var counts = AuditCounts()
        (counts.entries, counts.lost, counts.refusals) = (written.value, lost.value, refusals.value)
        return counts
    }
}
