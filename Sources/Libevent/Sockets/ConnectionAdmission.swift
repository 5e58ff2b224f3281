public import Base

/// How many connections may come, and from where: asked of each new one of a kind (callers, devices), over all loops. What is not
/// set costs nothing.
///
/// An IPv6 address counts with all of its /64, which is one network's: whoever has one address there has them all.
public final class ConnectionAdmission: Sendable {
    /// The bounds; nil: none.
    public struct Limits: Hashable, Sendable {
        /// Connections of one address at a time.
        public var perAddress: Int?
        /// New connections a second.
        public var perSecond: Int?
        /// New connections of one address a second.
        public var perSecondOfAddress: Int?

        /// No bounds.
        public init() {}
    }

    /// How many connections were closed as soon as they came, by the bound that was reached. Since the process began.
    public struct Refusals: Hashable, Sendable {
        /// `Limits.perAddress`
        public var perAddress: UInt64 = 0
        /// `Limits.perSecond`
        public var perSecond: UInt64 = 0
        /// `Limits.perSecondOfAddress`
        public var perSecondOfAddress: UInt64 = 0

        /// None.
        public init() {}
    }

    private struct State {
        /// Open connections by address.
        var open: [IPAddress: Int] = [:]
        /// The running second, and what came in it.
        var second: Int64 = 0
        var count = 0
        var counts: [IPAddress: Int] = [:]
        var refusals = Refusals()
    }

    private let limits: Limits
    private let state = Locked(State())

    /// Nil where nothing is bounded.
    public init?(_ limits: Limits) {
        guard limits != Limits() else { return nil }
        self.limits = limits
    }

    /// What was refused so far.
    public var refusals: Refusals { state.withLock(\.refusals) }

    /// Judges a new connection.
    /// - Parameters:
    ///   - address: nil for one that stands for many clients, such as a balancer's: only the rate of all counts then.
    ///   - now: any clock's nanoseconds.
    /// - Returns: whether it may stay; `leave(_:)` has to follow when it has closed, and only then.
    public func admit(_ address: IPAddress?, at now: Int64) -> Bool {
        let network = address?.network
        return state.withLock { state in
            let second = now / 1_000_000_000
            if second != state.second {
                (state.second, state.count) = (second, 0)
                state.counts.removeAll(keepingCapacity: state.counts.count < 1_024)
            }
            if let limit = limits.perSecond, state.count >= limit {
                state.refusals.perSecond += 1
                return false
            }
            if let network, !admit(network, &state) { return false }
            state.count += 1
            return true
        }
    }

    private func admit(_ network: IPAddress, _ state: inout State) -> Bool {
        if let limit = limits.perSecondOfAddress {
            guard state.counts[network, default: 0] < limit else {
                state.refusals.perSecondOfAddress += 1
                return false
            }
        }
        if let limit = limits.perAddress {
            guard state.open[network, default: 0] < limit else {
                state.refusals.perAddress += 1
                return false
            }
            state.open[network, default: 0] += 1
        }
        if limits.perSecondOfAddress != nil { state.counts[network, default: 0] += 1 }
        return true
    }

    /// A connection that was admitted has closed.
    /// - Parameter address: as it was admitted with.
    public func leave(_ address: IPAddress?) {
        guard limits.perAddress != nil, let network = address?.network else { return }
        state.withLock { state in
            let left = state.open[network, default: 1] - 1
            state.open[network] = left == 0 ? nil : left
        }
    }
}
