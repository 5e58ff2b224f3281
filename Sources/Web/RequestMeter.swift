public import Base
public import Libevent

/// Counts a listener's requests: how long each took, what status it was answered with, and what was refused; and what ended its
/// connections before their time. Belongs to the listener's loop.
///
/// Plain numbers in memory of its own: no lock, and none of the checks that a Swift array in a class pays for at each access.
@usableFromInline
final class RequestMeter {
    /// For each kind of request its classes of duration, then the sum of the durations; at the end a number for each status.
    private let numbers: UnsafeMutablePointer<UInt64>
    private let size: Int
    private let kinds: Int
    private var refusals: [RequestFigures.Refusal: UInt64] = [:]
    private var pressure: [ConnectionPressure: UInt64] = [:]

    private static let stride = RequestFigures.bounds.count + 2
    private static let statuses = 600

    /// - Parameter kinds: of requests, numbered from 0.
    init(kinds: Int) {
        self.kinds = kinds
        size = kinds * Self.stride + Self.statuses
        numbers = .allocate(capacity: size)
        numbers.initialize(repeating: 0, count: size)
    }

    deinit { numbers.deallocate() }

    /// A request was answered.
    /// - Parameter nanoseconds: after so long; `nil` where it came to no handler, which says nothing of how long others take.
    @usableFromInline
    func count(kind: Int, status: Int, after nanoseconds: Int64?) {
        if let nanoseconds {
            let row = numbers + min(kind, kinds - 1) * Self.stride
            row[Self.bucket(nanoseconds)] &+= 1
            row[Self.stride - 1] &+= UInt64(clamping: nanoseconds)
        }
        numbers[kinds * Self.stride + min(max(0, status), Self.statuses - 1)] &+= 1
    }

    /// And it was refused, or failed, by that number of the front's catalogue.
    func countRefusal(kind: Int, code: Int) { refusals[RequestFigures.Refusal(kind: kind, code: code), default: 0] += 1 }

    /// A connection found no room.
    func count(_ outcome: ConnectionPressure) { pressure[outcome, default: 0] += 1 }

    /// By comparisons alone, the usual ones first: a table would be asked for at each request. A test holds it to the bounds.
    static func bucket(_ nanoseconds: Int64) -> Int {
        if nanoseconds <= 10_000_000 {
            if nanoseconds <= 500_000 { return 0 }
            if nanoseconds <= 1_000_000 { return 1 }
            if nanoseconds <= 2_500_000 { return 2 }
            return nanoseconds <= 5_000_000 ? 3 : 4
        }
        if nanoseconds <= 25_000_000 { return 5 }
        if nanoseconds <= 50_000_000 { return 6 }
        if nanoseconds <= 100_000_000 { return 7 }
        if nanoseconds <= 250_000_000 { return 8 }
        if nanoseconds <= 500_000_000 { return 9 }
        if nanoseconds <= 1_000_000_000 { return 10 }
        if nanoseconds <= 2_500_000_000 { return 11 }
        if nanoseconds <= 5_000_000_000 { return 12 }
        return nanoseconds <= 10_000_000_000 ? 13 : 14
    }

    /// As of now.
    var figures: RequestFigures {
        var figures = RequestFigures(kinds: kinds)
        for kind in 0..<kinds {
            let row = UnsafeBufferPointer(start: numbers + kind * Self.stride, count: Self.stride)
            figures.durations[kind] = Histogram(
                bounds: RequestFigures.bounds, counts: Array(row.dropLast()), sum: Int64(clamping: row[Self.stride - 1]))
        }
        for status in 0..<Self.statuses where numbers[kinds * Self.stride + status] > 0 {
            figures.statuses[status] = numbers[kinds * Self.stride + status]
        }
        figures.refusals = refusals
        figures.pressure = pressure
        return figures
    }
}

/// What a listener has counted of its requests and connections since it began.
public struct RequestFigures: Hashable, Sendable {
    /// What was refused, or failed.
    public struct Refusal: Hashable, Sendable {
        /// The kind of request, as the front numbers them.
        public let kind: Int
        /// The number of the front's catalogue.
        public let code: Int

        /// A refusal of such a request.
        public init(kind: Int, code: Int) {
            self.kind = kind
            self.code = code
        }
    }

    /// The bounds of durations, in nanoseconds.
    public static let bounds: [Int64] = [
        500_000, 1_000_000, 2_500_000, 5_000_000, 10_000_000, 25_000_000, 50_000_000, 100_000_000, 250_000_000, 500_000_000,
        1_000_000_000, 2_500_000_000, 5_000_000_000, 10_000_000_000,
    ]

    /// How long requests of each kind took until they were answered, in nanoseconds, by the loop's clock, which is read once a
    /// turn.
    public var durations: [Histogram]
    /// How often each status was answered.
    public var statuses: [Int: UInt64] = [:]
    /// How often a request was refused, or failed.
    public var refusals: [Refusal: UInt64] = [:]
    /// How many connections were closed because their peer was too slow.
    public var timeouts = HTTPTimeouts()
    /// What became of connections that found no room.
    public var pressure: [ConnectionPressure: UInt64] = [:]

    /// None yet.
    /// - Parameter kinds: of requests.
    public init(kinds: Int) { durations = Array(repeating: Histogram(bounds: Self.bounds), count: kinds) }

    /// Adds another listener's, of the same kinds.
    public static func += (sum: inout RequestFigures, other: RequestFigures) {
        for kind in sum.durations.indices { sum.durations[kind] += other.durations[kind] }
        sum.statuses.merge(other.statuses, uniquingKeysWith: +)
        sum.refusals.merge(other.refusals, uniquingKeysWith: +)
        sum.timeouts += other.timeouts
        sum.pressure.merge(other.pressure, uniquingKeysWith: +)
    }
}
