internal import Libevent
internal import Logging

extension PushServer {
    /// Empties the server, in this order:
    /// 1. it says that it is not ready, and serves on for the drain's delay, so that balancers turn away first;
    /// 2. the callers' listeners accept what waits and close; requests in hand are answered with `Connection: close`;
    /// 3. the devices' listeners do the same, and devices are disconnected at the drain's rate; the others are served meanwhile.
    ///
    /// Returns when it is empty, or soon after `period` has ended. ``shutdown(because:)`` does the rest.
    /// - Parameter devices: how many are connected, for the log.
    func drain(_ drain: Drain, of devices: Int, because cause: String, within period: GracePeriod) async {
        log.info(
            "draining",
            metadata: [
                "cause": "\(cause)", "delay": "\(drain.delay)", "devices_a_second": "\(drain.rate)",
                "devices": "\(devices)",
            ])
        await announceEnd()
        await period.pause(drain.delay)
        guard !period.isOver else { return }
        let callersEnded = await onEachLoop(within: period) { loop in await loop.closeCallers(within: Self.patienceWithCallers) }
        guard callersEnded, drain.rate > 0 else { return }
        // All listeners first: a device that leaves one loop must not come back on another.
        for loop in loops { await loop.stopAcceptingDevices() }
        let rate = Double(drain.rate) / Double(loops.count)
        let devicesLeft = await onEachLoop(within: period) { [log] loop in
            do {
                try await loop.disconnectDevices(perSecond: rate)
            } catch {
                log.error("devices are disconnected all at once", metadata: ["cause": "\(error)"])
            }
        }
        if devicesLeft { log.info("drained") }
    }

    /// Callers who send or read slowly, while there is time.
    private static let patienceWithCallers = Duration.seconds(10)

    /// Tells whoever asks that the server is not ready any more.
    func announceEnd() async {
        store.announceEnd()
        await admin.announceEnd()
        for loop in loops { await loop.announceEnd() }
    }

    /// On all loops together.
    var connectedDevices: Int {
        get async {
            var count = 0
            for loop in loops { count += await loop.devices }
            return count
        }
    }
}
