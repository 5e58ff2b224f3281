internal import Push
internal import StoreCore

/// What was read as of one moment for one device and is the same for the next: devices that come back together are below the same
/// few organisations, and the same groupcasts wait for them (half of what a reader does for each).
final class Moment {
    /// What each organisation was ever directly below.
    var parents: [UInt32: [MembershipHistory.Interval<UInt32>]] = [:]
    /// Rows to many, by position.
    var rows: [UInt64: StoredRow] = [:]
    /// The same as devices get them, by the position at which they stand for them.
    var sent: [UInt64: Row] = [:]

    /// Another moment begins.
    func removeAll() {
        if !parents.isEmpty { parents.removeAll(keepingCapacity: true) }
        if !rows.isEmpty { rows.removeAll(keepingCapacity: true) }
        if !sent.isEmpty { sent.removeAll(keepingCapacity: true) }
    }
}
