package import StoreCore

/// What a change of the directory has still to do when it has taken effect: many devices join a configuration, or much that is
/// pending is withdrawn. It is done in slices, each a transaction, with other people's jobs between them.
///
/// **What holds between two slices**, whoever looks, and after a kill:
///
/// - The change itself is whole. It took effect at one position, with which the first slice was committed: the tree, every
///   membership and every tally are those after it, and a push is for whom they say.
/// - What is left to do is in the file, committed together with what is done, so that a start goes on where a kill came.
/// - No other change of organisations or devices is decided (``FollowUps/isEmpty``): a second move, a deletion, an import wait
///   until the last slice is committed, and so does the answer. So what joins and what is withdrawn can be found slice by slice
///   from the directory as it stands. Pushes, cancels, connections, acknowledgements and reports go on.
/// - A device receives a configuration that it joins by a reference row, whose position is taken when all whom it is for are
///   counted. Before it nobody has seen the configuration, so that nothing is acknowledged that is not counted; after it
///   nobody is left out, since all of them are still where the change put them.
/// - A configuration that is superseded, cancelled or expired before its turn is joined by nobody; one whose turn has begun is
///   still counted for all, as if the end had come after the change, and is sent to nobody.
/// - What is pending for a holder who is gone is out of every page since the change's position, and what its device still
///   acknowledges is dropped (``FactBook/retired``): it is withdrawn, however late that is marked. Of a test device that was set
///   back, an acknowledgement that comes before the mark counts. What ends before its mark stays what it ended as: no count that
///   a caller has read falls back.
/// - Retention rests.
package struct FollowUp {
    package enum Work {
        /// What lies below an organisation has come below those of a path that were not above it before: they join the
        /// configurations of these, and those that are bounded by their scope. `formerParent` is 0 for what was a root.
        case enter(organisation: UInt32, formerParent: UInt32)
        /// Everybody below an organisation joins a configuration; the reference is the organisation's.
        case joinSubtree(of: UInt32, configuration: UInt64)
        /// A user's devices below an organisation join a configuration of the user's.
        case joinUser(below: UInt32, configuration: UInt64)
        /// A device joins the configurations that are for it, and were not for what it was before; `nil` for a new holder's.
        case enterAll(device: UInt32, formerly: FormerMembership?)
        /// A device joins a configuration.
        case joinDevice(UInt32, configuration: UInt64)
        /// What was pending for a device whose holder is gone is withdrawn.
        case withdraw(device: UInt32)
        /// The same of what was pushed in test mode, for one that is no test device any more.
        case withdrawTests(device: UInt32)
        /// The configurations of an organisation that is gone are cancelled.
        case cancelAll(ofOrganisation: UInt32)
        /// The same of one: the fourth version wrote it.
        case cancel(configuration: UInt64)
    }

    /// Their order.
    package let number: Int64
    /// At which the change took effect.
    package let position: UInt64
    package let work: Work
    /// How far it has come; 0 at the beginning. What it counts is the work's own affair.
    package var place: UInt64 = 0
}
