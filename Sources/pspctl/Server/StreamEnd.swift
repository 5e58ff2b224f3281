import Base
import Glibc

/// Ends what an ``EventReader`` reads, from another thread: its next look at the connection finds the end.
final class StreamEnd: Sendable {
    private struct State: Sendable {
        var descriptor: Int32?
        var isOver = false
    }

    private let state = Locked(State())

    /// Whether the end has come.
    var isOver: Bool { state.withLock { $0.isOver } }

    /// The connection is there. Where the end came before, it is over at once.
    func begins(with descriptor: Int32) {
        state.withLock { state in
            state.descriptor = descriptor
            if state.isOver { shutdown(descriptor, Int32(SHUT_RDWR)) }
        }
    }

    /// The connection is about to be closed, and its number may be another one's soon.
    func forget() { state.withLock { $0.descriptor = nil } }

    func callAsFunction() {
        state.withLock { state in
            state.isOver = true
            if let descriptor = state.descriptor { shutdown(descriptor, Int32(SHUT_RDWR)) }
        }
    }
}
