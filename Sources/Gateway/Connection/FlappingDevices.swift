internal import Base
public import Push

/// Devices that connect again and again, over all loops of the process: each time costs the store two transactions and the loop a
/// catch-up. Counted is who has shown the right secret, so that nobody else can have a device slowed.
public final class FlappingDevices: Sendable {
    private struct State {
        var minute: Int64 = 0
        var connects: [DeviceHandle: Int] = [:]
        /// Those that flap in this minute, and in the one before.
        var flapping: [DeviceToken: Int] = [:]
        var before: [DeviceToken: Int] = [:]

        mutating func begin(_ minute: Int64) {
            guard minute != self.minute else { return }
            self = State(minute: minute, before: minute == self.minute + 1 ? flapping : [:])
        }
    }

    /// Devices that are counted in a minute; those beyond are not, and cost no memory.
    static let capacity = 131_072
    /// Devices of a minute that can be named, and how many are.
    private static let mostRemembered = 1_024
    private static let mostNamed = 20

    private let limit: Int?
    private let state = Locked(State())

    /// - Parameter limit: so often a device may connect in a minute before it flaps; `nil`: no matter how often.
    public init(limit: Int?) { self.limit = limit }

    /// A device has been let in.
    /// - Parameter now: nanoseconds of a clock that never jumps.
    /// - Returns: whether it flaps.
    func note(_ device: DeviceHandle, _ token: DeviceToken, at now: Int64) -> Bool {
        guard let limit else { return false }
        return state.withLock { state in
            state.begin(now / 60_000_000_000)
            guard state.connects.count < Self.capacity || state.connects[device] != nil else { return false }
            let count = state.connects[device, default: 0] + 1
            state.connects[device] = count
            guard count > limit else { return false }
            if state.flapping.count < Self.mostRemembered || state.flapping[token] != nil { state.flapping[token] = count }
            return true
        }
    }

    /// Who flaps, or did in the minute before, the worst first, with how often they connected in that minute.
    /// - Parameter now: nanoseconds of a clock that never jumps.
    public func worst(at now: Int64) -> [(device: DeviceToken, connects: Int)] {
        let all = state.withLock { state in
            state.begin(now / 60_000_000_000)
            return state.flapping.merging(state.before) { max($0, $1) }
        }
        let sorted = all.sorted { ($1.value, $0.key.text) < ($0.value, $1.key.text) }
        return sorted.prefix(Self.mostNamed).map { ($0.key, $0.value) }
    }
}
