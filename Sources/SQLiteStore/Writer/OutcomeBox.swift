internal import Base

/// One error, or none, handed from a thread to another.
final class OutcomeBox: Sendable {
    private let error = Locked<(any Error)?>(nil)
    func set(_ error: (any Error)?) { self.error.withLock { $0 = error } }
    func get() -> (any Error)? { error.withLock { $0 } }
}
