internal import Base
internal import Dispatch
internal import Push

/// Where passwords are hashed: one after the other, on a thread that is no loop's. Each takes a good part of a second of a core
/// and some memory, so that no more than a few may wait: anybody can send passwords. Whoever has a token waits apart from those
/// who have none, and comes first.
final class PasswordWorker: Sendable {
    /// How many may wait of those who have a token, and of those who have none, each with the one that is being hashed.
    static let most = 16
    /// How many of these without a token from one address (``IPAddress/network``).
    static let mostOfAddress = 2

    /// Who waits.
    enum Client {
        /// Somebody who has shown a token.
        case admitted
        /// Somebody who has not, and from where.
        case stranger(IPAddress?)
    }

    private struct State {
        var admitted: [@Sendable () -> Void] = []
        var strangers: [@Sendable () -> Void] = []
        /// With those that are being hashed.
        var admittedCount = 0
        var strangerCount = 0
        var addresses: [IPAddress?: Int] = [:]

        mutating func enter(_ client: Client) -> Bool {
            switch client {
            case .admitted:
                guard admittedCount < most else { return false }
                admittedCount += 1
            case .stranger(let address):
                let network = address?.network
                guard strangerCount < most, addresses[network, default: 0] < mostOfAddress else { return false }
                strangerCount += 1
                addresses[network, default: 0] += 1
            }
            return true
        }

        mutating func leave(_ client: Client) {
            switch client {
            case .admitted: admittedCount -= 1
            case .stranger(let address):
                strangerCount -= 1
                let left = addresses[address?.network, default: 1] - 1
                addresses[address?.network] = left > 0 ? left : nil
            }
        }

        mutating func add(_ work: @escaping @Sendable () -> Void, of client: Client) {
            switch client {
            case .admitted: admitted.append(work)
            case .stranger: strangers.append(work)
            }
        }

        mutating func next() -> (@Sendable () -> Void)? {
            if !admitted.isEmpty { return admitted.removeFirst() }
            return strangers.isEmpty ? nil : strangers.removeFirst()
        }
    }

    private let queue = DispatchQueue(label: "passwords", qos: .utility)
    private let state = Locked(State())

    /// Does a piece of work there.
    /// - Returns: what it makes.
    /// - Throws: 2302 where too many wait, and where it makes nothing, for want of memory.
    func run<Value: Sendable>(
        for client: Client, _ work: @escaping @Sendable () -> Value?
    ) async throws(Refusal) -> Value {
        guard state.withLock({ $0.enter(client) }) else { throw Refusal(.unavailable) }
        defer { state.withLock { $0.leave(client) } }
        let made = await withCheckedContinuation { continuation in
            state.withLock { $0.add({ continuation.resume(returning: work()) }, of: client) }
            queue.async { [self] in state.withLock { $0.next() }?() }
        }
        guard let made else { throw Refusal(.unavailable) }
        return made
    }
}
