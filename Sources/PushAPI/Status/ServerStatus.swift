public import Push
public import Web

/// What the server tells of itself at one moment: the figures, in whatever form somebody wants them.
///
/// Counters run from the start. What could not be learnt within a second is absent, so that the status of a server that stands
/// still can be told.
public struct ServerStatus: Sendable {
    /// What the process is called.
    public var node: NodeName
    /// When it began to serve, by the wall clock, Unix milliseconds.
    public var startedAt: Int64
    /// How long it has served, in milliseconds.
    public var uptime: Int64
    /// Each loop's figures.
    public var loops: [LoopStatus]
    /// How much a second was done lately.
    public var rates: TrafficRates
    /// Whether the store keeps up.
    public var store: StoreStatus
    /// How long single pieces of work have held the store.
    public var holdTimes: HoldTimes
    /// How this process stands to those that share the store; `nil` where none can.
    public var standing: NodeStanding?
    /// What the store takes of the disk.
    public var storage: StorageUse?
    /// Store time and the wall clock.
    public var clock: ClockState?
    /// Devices that connect again and again, and how often in a minute, the worst first.
    public var flapping: [(device: DeviceToken, connects: Int)] = []
    /// The newest imports.
    public var imports: [ImportReport]?

    /// As of one moment.
    public init(
        node: NodeName, startedAt: Int64, uptime: Int64, loops: [LoopStatus], rates: TrafficRates, store: StoreStatus,
        holdTimes: HoldTimes,
        storage: StorageUse?, clock: ClockState?, imports: [ImportReport]?
    ) {
        self.node = node
        self.startedAt = startedAt
        self.uptime = uptime
        self.loops = loops
        self.rates = rates
        self.store = store
        self.holdTimes = holdTimes
        self.storage = storage
        self.clock = clock
        self.imports = imports
    }

    /// The loops' figures together.
    public var sum: LoopStatus { loops.reduce(into: LoopStatus()) { $0 += $1 } }
}

/// One loop's figures.
public struct LoopStatus: Hashable, Sendable {
    /// Its devices.
    public var devices = DeviceCounters()
    /// Pushes that came to it.
    public var pushes = PushesByInterface()
    /// Callers' requests of all kinds, by ``CallKind``.
    public var requests: RequestFigures = RequestFigures(kinds: CallKind.allCases.count)
    /// Callers' connections.
    public var callers = 0
    /// It did not answer within a second: these are its figures as they were when it did.
    public var isLate = false

    /// All zero.
    public init() {}

    /// Adds another loop's.
    public static func += (sum: inout LoopStatus, other: LoopStatus) {
        sum.devices += other.devices
        sum.pushes += other.pushes
        sum.requests += other.requests
        sum.callers += other.callers
        sum.isLate = sum.isLate || other.isLate
    }
}
