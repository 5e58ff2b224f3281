internal import Base
internal import Push

/// Devices that left a message unacknowledged for so long that their connection was closed, over all loops of the process.
///
/// The message comes again after the reconnect, and may be one that the device can never acknowledge. So each further time takes
/// twice as long, and no two sessions take equally long: a message like that to many does not make the fleet reconnect in step.
public final class OverdueDevices: Sendable {
    private struct Record {
        var times: Int
        var last: Tick
    }

    /// Two generations: when the current one is full it becomes the previous one, whose records are forgotten.
    private struct Memory {
        var current: [DeviceHandle: Record] = [:]
        var previous: [DeviceHandle: Record] = [:]
    }

    /// Devices of a generation: some megabytes, and only where so many are overdue.
    static let capacity = 131_072
    /// The time is doubled so often at most.
    static let doublings = 6

    private let memory = Locked(Memory())

    /// Remembers nobody.
    public init() {}

    /// How long a message of the session may be unacknowledged, in tenths of a second: `timeout` and up to a half more, doubled
    /// for each time that the device was overdue lately.
    func limit(of device: DeviceHandle, _ session: SessionID, timeout: Int, at now: Tick) -> Int {
        let limit = timeout << times(of: device, timeout: timeout, at: now)
        return limit + limit * Int(session.raw & 0xFFFF) / 0x20000
    }

    /// The device was overdue.
    func note(_ device: DeviceHandle, timeout: Int, at now: Tick) {
        let record = Record(times: min(times(of: device, timeout: timeout, at: now) + 1, Self.doublings), last: now)
        memory.withLock { memory in
            memory.current[device] = record
            guard memory.current.count >= Self.capacity else { return }
            memory.previous = memory.current
            memory.current = [:]
        }
    }

    /// How many devices it remembers.
    var count: Int { memory.withLock { $0.current.count + $0.previous.count } }

    /// How often, without what lies so far back that the message of then has come through or is over.
    private func times(of device: DeviceHandle, timeout: Int, at now: Tick) -> Int {
        guard let record = memory.withLock({ $0.current[device] ?? $0.previous[device] }) else { return 0 }
        return now.elapsed(since: record.last) > 4 * (timeout << record.times) ? 0 : record.times
    }
}
