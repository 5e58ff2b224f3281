internal import Base
internal import Push

/// Devices that connect again and again, over all loops of the process: each time costs the store two transactions and the loop a
/// catch-up. Counted is who has shown the right secret, so that nobody else can have a device slowed.
public final class FlappingDevices: Sendable {
    private struct State {
        var minute: Int64 = 0
        var connects: [DeviceHandle: Int] = [:]
    }

    /// Devices that are counted in a minute; those beyond are not, and cost no memory.
    static let capacity = 131_072

    private let limit: Int?
    private let state = Locked(State())

    /// - Parameter limit: so often a device may connect in a minute before it flaps; `nil`: no matter how often.
    public init(limit: Int?) { self.limit = limit }

    /// A device has been let in.
    /// - Parameter now: nanoseconds of a clock that never jumps.
    /// - Returns: whether it flaps.
    func note(_ device: DeviceHandle, at now: Int64) -> Bool {
        guard let limit else { return false }
        let minute = now / 60_000_000_000
        return state.withLock { state in
            if minute != state.minute { state = State(minute: minute) }
            guard state.connects.count < Self.capacity || state.connects[device] != nil else { return false }
            state.connects[device, default: 0] += 1
            return state.connects[device, default: 0] > limit
        }
    }
}
