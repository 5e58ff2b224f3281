internal import Base
internal import Logging
internal import Push
internal import PushAPI

/// How the loops begin: with what the store tells of its directory. Where the store is another machine's and cannot be reached,
/// the server listens all the same and says that it is not ready, and the loops begin as soon as they can.
struct Beginning: Sendable {
    /// `nil`: all have begun.
    private let waiting: Task<Void, Never>?

    /// Returns when the loops have begun, or the store cannot be reached.
    /// - Parameter readiness: learns when the last one has begun.
    /// - Throws: why they cannot begin, where it is not that.
    init(
        of loops: [ServerLoop], _ admin: AdminFront, by store: any Store, telling readiness: Readiness, _ log: Logger
    ) async throws {
        // The operators' front is on the first loop.
        var rest = loops.enumerated().map { (loop: $1, operators: $0 == 0 ? admin : nil) }[...]
        var waiting: Task<Void, Never>?
        while let (loop, operators) = rest.first {
            do {
                try await loop.begin(with: operators)
                rest.removeFirst()
            } catch let error as StoreError {
                guard case .unreachable(let reason, _) = store.status.health else { throw error }
                log.notice("not ready: the store is not reached yet", metadata: ["cause": "\(reason.english)"])
                waiting = Task.detached { [rest] in await Self.goOn(with: rest, telling: readiness, log) }
                break
            }
        }
        if waiting == nil { readiness.begin() }
        self.waiting = waiting
    }

    /// The server ends: nobody waits any longer.
    func cancel() { waiting?.cancel() }

    /// Returns when nothing of it goes on, or the period ends. After ``cancel()``.
    func end(within period: GracePeriod) async {
        guard let waiting else { return }
        _ = await period.wait { await waiting.value }
    }

    private static func goOn(
        with loops: ArraySlice<(loop: ServerLoop, operators: AdminFront?)>, telling readiness: Readiness, _ log: Logger
    ) async {
        var pause = RetryPause()
        for (loop, operators) in loops {
            while true {
                // Ends by cancellation only.
                do { try await Task.sleep(for: pause.next()) } catch { return }
                do {
                    try await loop.begin(with: operators)
                    pause = RetryPause()
                    break
                } catch {
                    log.debug("the store cannot be reached yet", metadata: ["cause": "\(error)"])
                }
            }
        }
        readiness.begin()
        log.notice("the store has been reached")
    }
}

/// How long to wait before the next try: longer and longer, and by chance, so that many who wait do not all come at once.
struct RetryPause {
    private static let longest: Int64 = 4_000
    private var milliseconds: Int64 = 125

    mutating func next() -> Duration {
        defer { milliseconds = min(2 * milliseconds, Self.longest) }
        return .milliseconds(Int64.random(in: milliseconds / 2...milliseconds))
    }
}
