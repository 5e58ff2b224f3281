/// Judges by how long calls wait whether a store keeps up. One long wait, such as a slow sync, says nothing; and a store that was
/// late has not recovered because one call was quick: who turns callers away from it makes it quick, and must not bring them back
/// at once.
public struct Lateness: Sendable {
    /// Where the lines are drawn, in nanoseconds.
    public struct Limits: Sendable {
        /// Waits of so long are late.
        public var late: Int64
        /// They must have been late for so long.
        public var patience: Int64
        /// Shorter waits are no longer late.
        public var prompt: Int64
        /// They must have been prompt for so long.
        public var recovery: Int64

        /// What a caller notices, and a balancer's timeouts bear.
        public init(
            late: Int64 = 2_000_000_000, patience: Int64 = 3_000_000_000, prompt: Int64 = 500_000_000,
            recovery: Int64 = 5_000_000_000
        ) {
            self.late = late
            self.patience = patience
            self.prompt = prompt
            self.recovery = recovery
        }
    }

    private let limits: Limits
    /// Since when waits have been late without a break; `nil`: they are not.
    private var lateSince: Int64?
    /// While it is behind: when a wait was last not prompt.
    private var lastSlow: Int64 = 0
    /// The store does not keep up.
    public private(set) var isBehind = false

    /// Nothing has waited yet.
    public init(_ limits: Limits = Limits()) { self.limits = limits }

    /// A call has waited so long, and may still wait. Where nobody waits, it is 0.
    /// - Parameter now: monotonic nanoseconds.
    public mutating func observe(_ wait: Int64, at now: Int64) {
        if isBehind {
            if wait >= limits.prompt { lastSlow = now }
            guard now - lastSlow >= limits.recovery else { return }
            isBehind = false
            lateSince = nil
        } else if wait >= limits.late {
            // It has been late since its wait became so.
            let since = lateSince ?? now - (wait - limits.late)
            lateSince = since
            guard now - since >= limits.patience else { return }
            isBehind = true
            lastSlow = now
        } else {
            lateSince = nil
        }
    }
}
