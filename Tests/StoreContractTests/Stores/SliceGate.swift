import Base

/// At which slices of what follows from a change of the directory wait.
final class SliceGate: Sendable {
    private struct State: Sendable {
        var isClosed = false
        var isAwaited = false
        var permits = 0
    }

    private let state = Locked(State())

    /// Closes it, or opens it again.
    func hold(_ isClosed: Bool) { state.withLock { $0 = State(isClosed: isClosed) } }

    /// Whether a slice waits.
    var isHolding: Bool { state.withLock { $0.isAwaited } }

    func letOneGo() { state.withLock { ($0.permits, $0.isAwaited) = (1, false) } }

    /// Whether a slice may be done now.
    func pass() -> Bool {
        state.withLock { state in
            state.isAwaited = state.isClosed && state.permits == 0
            if state.isClosed && state.permits > 0 { state.permits -= 1 }
            return !state.isAwaited
        }
    }
}
