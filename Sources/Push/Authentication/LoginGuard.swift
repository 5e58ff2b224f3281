public import Base

/// Log-ins that failed lately, of devices or of operators, over all loops of the process. Who has failed too often is refused
/// before anything dear is done: each unknown CONNECT would cost the store's writer a look-up and a hash, and each password a
/// slow one.
///
/// It counts by address (``IPAddress/network``), and by address and name together; never by name alone, or anybody could lock a
/// name out. The right secret passes from anywhere else.
public final class LoginGuard: Sendable {
    /// The most failures in a minute; `nil`: not counted.
    public struct Limits: Hashable, Sendable {
        /// Of one address, whatever the names. Behind a balancer that does not tell clients' addresses all have one.
        public var perAddress: Int?
        /// Of one address for one name.
        public var perName: Int?

        /// No bounds, unless they are given.
        public init(perAddress: Int? = nil, perName: Int? = nil) {
            (self.perAddress, self.perName) = (perAddress, perName)
        }
    }

    private struct Pair: Hashable {
        let address: IPAddress
        let name: String
    }

    private struct State {
        var minute: Int64 = 0
        var addresses: [IPAddress: Int] = [:]
        var pairs: [Pair: Int] = [:]
    }

    /// Addresses, and pairs, that are remembered in a minute: what comes beyond is not counted, and costs no memory.
    public static let capacity = 65_536

    /// In nanoseconds.
    private static let minute: Int64 = 60_000_000_000

    private let limits: Limits
    private let state = Locked(State())

    /// Nobody has failed yet.
    public init(_ limits: Limits) { self.limits = limits }

    /// Whether a log-in is to be judged at all.
    /// - Parameter now: nanoseconds of a clock that never jumps.
    public func admits(_ name: String, from address: IPAddress, at now: Int64) -> Bool {
        guard limits != Limits() else { return true }
        let pair = Pair(address: address.network, name: name)
        return state.withLock { state in
            Self.begin(now, &state)
            return isWithin(pair, state)
        }
    }

    /// Admits a log-in and counts it as failed from now on, until ``takeBack(_:from:at:)`` says that it was right: however many
    /// are judged at a time, no more than the bound are.
    public func begin(_ name: String, from address: IPAddress, at now: Int64) -> Bool {
        guard limits != Limits() else { return true }
        let pair = Pair(address: address.network, name: name)
        return state.withLock { state in
            Self.begin(now, &state)
            guard isWithin(pair, state) else { return false }
            count(pair, &state)
            return true
        }
    }

    /// A log-in that was begun was not wrong.
    /// - Parameter began: when it was begun.
    public func takeBack(_ name: String, from address: IPAddress, at began: Int64) {
        let network = address.network
        state.withLock { state in
            guard state.minute == began / Self.minute else { return }
            Self.uncount(network, in: &state.addresses)
            Self.uncount(Pair(address: network, name: name), in: &state.pairs)
        }
    }

    /// Until everything is counted anew.
    public static func untilNextMinute(at now: Int64) -> Duration { .nanoseconds(minute - now % minute) }

    /// A log-in has failed by its name or its secret.
    public func noteFailure(of name: String, from address: IPAddress, at now: Int64) {
        guard limits != Limits() else { return }
        let pair = Pair(address: address.network, name: name)
        state.withLock { state in
            Self.begin(now, &state)
            count(pair, &state)
        }
    }

    private func isWithin(_ pair: Pair, _ state: State) -> Bool {
        if let limit = limits.perAddress, state.addresses[pair.address, default: 0] >= limit { return false }
        if let limit = limits.perName, state.pairs[pair, default: 0] >= limit { return false }
        return true
    }

    private func count(_ pair: Pair, _ state: inout State) {
        if limits.perAddress != nil { Self.count(pair.address, in: &state.addresses) }
        if limits.perName != nil { Self.count(pair, in: &state.pairs) }
    }

    private static func begin(_ now: Int64, _ state: inout State) {
        let minute = now / Self.minute
        guard minute != state.minute else { return }
        state = State(minute: minute)
    }

    private static func count<Key: Hashable>(_ key: Key, in counts: inout [Key: Int]) {
        guard counts.count < capacity || counts[key] != nil else { return }
        counts[key, default: 0] += 1
    }

    private static func uncount<Key: Hashable>(_ key: Key, in counts: inout [Key: Int]) {
        guard let count = counts[key] else { return }
        counts[key] = count > 1 ? count - 1 : nil
    }
}
