internal import Synchronization

/// One error, or none, handed from a thread to another.
final class OutcomeBox: Sendable {
    private let error = Mutex<(any Error)?>(nil)
    func set(_ error: (any Error)?) { self.error.withLock { $0 = error } }
    func get() -> (any Error)? { error.withLock { $0 } }
}
