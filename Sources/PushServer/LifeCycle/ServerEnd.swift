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
        /// When it is too late. It stands since the server was empty, or since somebody was in a hurry.
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
        Task.detached { [self] in
            if !drain.isEmpty {
                manager?.report(.stopping(drain.time(devices: await server.connectedDevices) + Self.reserve))
                await server.drain(drain, because: cause, within: period)
            }
            manager?.report(.stopping(Self.longest))
            limit()
            period.end(after: Self.patience)
            let isKept = await server.shutdown(because: cause, period)
            state.withLock { $0.isKept = isKept }
        }
    }

    /// What a service manager grants beyond what emptying takes at its rate: slow callers, and a machine that is not the fastest.
    private static let reserve = Duration.seconds(30)

    /// Nobody is waited for any longer.
    func hurry() {
        limit()
        period.end()
    }

    private func limit() {
        state.withLock { state in
            if state.latest == nil { state.latest = .now + Self.longest }
        }
    }

    /// How far it is.
    var outcome: Outcome {
        state.withLock { state in
            if let isKept = state.isKept { return .ended(isKept: isKept) }
            return state.latest.map { $0 < .now } ?? false ? .tooLate : .underway
        }
    }
}
