internal import JSON
internal import Push

extension JSONWriter {
    /// Writes a task's counts, all of them, as members of the object at hand.
    mutating func members(of counts: Counts) {
        member("targeted", counts.targeted)
        member("delivered", counts.delivered)
        member("pending", counts.pending)
        member("expired", counts.expired)
        member("superseded", counts.superseded)
        member("cancelled", counts.cancelled)
        member("withdrawn", counts.withdrawn)
        member("skipped_oversize", counts.skippedOversize)
        member("rejected", counts.rejected)
        member("opened", counts.opened)
        member("applied", counts.applied)
        member("failed", counts.failed)
    }
}
