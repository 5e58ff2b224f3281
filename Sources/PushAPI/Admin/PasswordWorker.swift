internal import Dispatch
internal import Push
internal import Synchronization

/// Where passwords are hashed: one after the other, on a thread that is no loop's. Each takes a good part of a second of a core
/// and some memory, so that no more than a few may wait: anybody can send passwords.
final class PasswordWorker: Sendable {
    /// How many may wait, with the one that is being hashed.
    static let most = 16

    private let queue = DispatchQueue(label: "passwords", qos: .utility)
    private let waiting = Atomic(0)

    /// Does a piece of work there.
    /// - Throws: 2302 where too many wait.
    func run<Value: Sendable>(_ work: @escaping @Sendable () -> Value) async throws(Refusal) -> Value {
        guard waiting.add(1, ordering: .relaxed).newValue <= Self.most else {
            waiting.subtract(1, ordering: .relaxed)
            throw Refusal(.unavailable)
        }
        defer { waiting.subtract(1, ordering: .relaxed) }
        return await withCheckedContinuation { continuation in
            queue.async { continuation.resume(returning: work()) }
        }
    }
}
