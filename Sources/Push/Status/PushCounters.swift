/// What one loop has counted of pushes since it began, by what they were answered.
public struct PushCounters: Hashable, Sendable {
    /// A task was made of them.
    public var stored: UInt64 = 0
    /// Their `out_biz_no` had made one before.
    public var repeated: UInt64 = 0
    /// Refused for what they say, or for what the directory says.
    public var refused: UInt64 = 0
    /// The store took no changes then, and has not stored them.
    public var unavailable: UInt64 = 0
    /// Nobody knows whether they are stored.
    public var unknown: UInt64 = 0

    /// All zero.
    public init() {}

    /// Counts what the store has decided.
    public mutating func count(_ accepted: Accepted) {
        switch accepted {
        case .stored: stored += 1
        case .repeated: repeated += 1
        case .refused: refused += 1
        case .unavailable: unavailable += 1
        case .unknown: unknown += 1
        }
    }

    /// Adds another loop's.
    public static func += (sum: inout PushCounters, other: PushCounters) {
        sum.stored += other.stored
        sum.repeated += other.repeated
        sum.refused += other.refused
        sum.unavailable += other.unavailable
        sum.unknown += other.unknown
    }
}

/// The same by interface.
public struct PushesByInterface: Hashable, Sendable {
    private var messages = PushCounters()
    private var configurations = PushCounters()

    /// All zero.
    public init() {}

    /// Those of one interface.
    public subscript(interface: Interface) -> PushCounters {
        get { interface == .message ? messages : configurations }
        _modify {
            switch interface {
            case .message: yield &messages
            case .configuration: yield &configurations
            }
        }
    }

    /// Those of both.
    public var sum: PushCounters {
        var sum = messages
        sum += configurations
        return sum
    }

    /// Adds another loop's.
    public static func += (sum: inout PushesByInterface, other: PushesByInterface) {
        sum.messages += other.messages
        sum.configurations += other.configurations
    }
}
