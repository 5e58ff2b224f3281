internal import Libevent
internal import Push

/// A device that flaps, and waits before it is served.
struct SlowedDevice {
    /// By the loop's clock.
    let due: Int64
    let waiting: CheckedContinuation<Void, Never>
}

// Devices that connect again and again are slowed: the store has let them in, and their CONNACK comes seconds later.

extension Shard {
    private static let slowness = Duration.seconds(5)

    /// Has a device wait that flaps. It is not read meanwhile; should the store want its session closed, it is closed when it has
    /// waited.
    func slowDown(_ connection: DeviceConnection, _ device: DeviceHandle, _ token: DeviceToken) async {
        guard configuration.flapping.note(device, token, at: loop.monotonicNow), !isStopping else { return }
        connectionCounters.slowed += 1
        let cause = "it connects again and again"
        log(.info, "a device is slowed", cause: cause, metadata(of: connection, cause))
        await withCheckedContinuation { waiting in
            if slowed.isEmpty { slowTimer?.restart(after: Self.slowness) }
            slowed.append(SlowedDevice(due: loop.monotonicNow + 5_000_000_000, waiting: waiting))
        }
    }

    /// Those have waited whose time has come.
    func slowedAreDue() {
        let now = loop.monotonicNow
        let due = slowed.prefix { $0.due <= now }
        slowed.removeFirst(due.count)
        for device in due { device.waiting.resume() }
        if let next = slowed.first { slowTimer?.restart(after: .nanoseconds(max(1_000_000, next.due - now))) }
    }

    /// Nobody waits any longer: the shard ends.
    func resumeSlowed() {
        let all = slowed
        slowed = []
        for device in all { device.waiting.resume() }
    }
}
