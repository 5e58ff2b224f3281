internal import Base
internal import Logging

/// The end of a server that was told to end: it is emptied if that is asked for, then closed.
final class ServerEnd: Sendable {
    enum Outcome: Equatable {
        case underway
        /// With whether everything is committed and nothing is left behind.
        case ended(isKept: Bool)
        /// What is not done is given up.
        case tooLate
    }

    private struct State {
        /// When it is too late.
        var latest: ContinuousClock.Instant?
        var isKept: Bool?
    }

    /// How long closing may take.
    private static let longest = Duration.milliseconds(4_800)
    /// What of that callers and devices are waited for.
    private static let patience = Duration.milliseconds(3_500)

    private let server: PushServer
    private let drain: Drain
    private let manager: ServiceManager?
    private let period = GracePeriod()
    private let state = Locked(State())

    init(of server: PushServer, _ drain: Drain, _ manager: ServiceManager?) {
        self.server = server
        self.drain = drain
        self.manager = manager
    }

    /// Once.
    func begin(because cause: String) {
        // A loop that does not answer holds up no end: until it has told its devices, nobody knows how long they take.
        if !drain.isEmpty { limit(to: drain.delay + Self.reserve + Self.longest) }
        Task.detached { [self] in
            if !drain.isEmpty {
                let devices = await server.connectedDevices
                let time = drain.time(devices: devices) + Self.reserve
                manager?.report(.stopping(time + Self.longest + Self.flush))
                extend(to: time + Self.longest)
                let emptying = GracePeriod(time)
                period.whenOver { emptying.end() }
                await server.drain(drain, of: devices, because: cause, within: emptying)
            }
            manager?.report(.stopping(Self.longest + Self.flush))
            limit(to: Self.longest)
            period.end(after: Self.patience)
            let isKept = await server.shutdown(because: cause, period)
            state.withLock { $0.isKept = isKept }
        }
    }

    /// What a service manager grants beyond what emptying takes at its rate: slow callers, and a machine that is not the fastest.
    private static let reserve = Duration.seconds(30)

    /// What the log's last lines take at most, and some more.
    private static let flush = Duration.seconds(2)

    /// Nobody is waited for any longer.
    func hurry() {
        limit(to: Self.longest)
        period.end()
    }

    /// It is too late in so long, unless it is sooner.
    private func limit(to time: Duration) {
        state.withLock { state in
            let latest = ContinuousClock.now + time
            state.latest = min(latest, state.latest ?? latest)
        }
    }

    /// It is too late in so long, unless somebody is in a hurry.
    private func extend(to time: Duration) {
        if !period.isOver { state.withLock { $0.latest = .now + time } }
    }

    /// How far it is.
    var outcome: Outcome {
        state.withLock { state in
            if let isKept = state.isKept { return .ended(isKept: isKept) }
            return state.latest.map { $0 < .now } ?? false ? .tooLate : .underway
        }
    }
}
