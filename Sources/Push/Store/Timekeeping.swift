/// How a store tells the time, and what an operator can do about it.
public protocol Timekeeping: Sendable {
    /// By which everything ends that has a lifetime. No wall clock of a node decides any of it.
    var clock: StoreClock { get }

    /// Unix time in milliseconds by a clock that counts in the place of this machine's, where there is one: for all nodes of a
    /// shared store it is the same, so that a caller's timestamp is judged alike by each. `nil`: this machine's counts.
    var sharedWallClock: (@Sendable () -> Int64)? { get }

    /// Whether messages may be handed to connections now. The same for all ports of a store.
    var lease: Lease { get }

    /// How store time and the wall clock stand to each other.
    func clockState() async throws(StoreError) -> ClockState

    /// An operator says that the wall clock is right: store time goes forward to it. Where it is not ahead this changes nothing.
    /// - Returns: how they stand then.
    func acceptWallClock(by call: OperatorCall) async throws(StoreError) -> ClockState
}

extension Timekeeping {
    /// This machine's counts.
    public var sharedWallClock: (@Sendable () -> Int64)? { nil }
}

/// Store time and the wall clock at one moment, in milliseconds.
public struct ClockState: Hashable, Sendable {
    /// See ``StoreClock``.
    public var storeTime: Int64
    /// Unix time, as the system has it.
    public var wallClock: Int64
    /// Whether the system says that its clock is kept right.
    public var isSynchronised: Bool
    /// How often the wall clock was found to have jumped, since the store was opened.
    public var steps: Int
    /// That the wall clock is ahead and store time has not followed yet.
    public var ahead: Ahead?

    /// As of one moment.
    public init(storeTime: Int64, wallClock: Int64, isSynchronised: Bool, steps: Int, ahead: Ahead?) {
        self.storeTime = storeTime
        self.wallClock = wallClock
        self.isSynchronised = isSynchronised
        self.steps = steps
        self.ahead = ahead
    }

    /// The wall clock is ahead of store time.
    public struct Ahead: Hashable, Sendable {
        /// How long it has been so, as far as anybody has looked.
        public var duration: Int64
        /// What store time waits for.
        public var waitsFor: Wait

        /// Ahead for so long.
        public init(duration: Int64, waitsFor: Wait) {
            self.duration = duration
            self.waitsFor = waitsFor
        }
    }

    /// What store time waits for until it follows the wall clock.
    public enum Wait: Hashable, Sendable {
        /// For so long still, unless the clock is set again.
        case time(Int64)
        /// That the system says that its clock is right, or that an operator does.
        case synchronisation
    }
}
