internal import Logging
internal import Push
internal import PushAPI

/// Gathers who was refused from all loops and hands it to the store, once a minute: no loop waits for that, and no refusal for
/// anything.
actor RefusalBoard {
    private let loops: [ServerLoop]
    private let lines: AuditLog?
    private let log = Logger(label: "audit")
    private var operators: AdminFront?
    private var book = RefusalBook()
    /// How many refusals the log knows to be dropped.
    private var toldDropped: Int64 = 0
    private var flushing: Task<Void, Never>?

    private static let pause = Duration.seconds(60)
    /// How many counts the store is given at a time: what it has not taken of them it has none of.
    private static let atATime = 250

    /// - Parameter lines: also told; `nil`: nobody reads along.
    init(_ loops: [ServerLoop], _ lines: AuditLog?) {
        self.loops = loops
        self.lines = lines
    }

    /// Begins.
    func begin(_ operators: AdminFront) {
        self.operators = operators
        flushing = Task { [weak self] in
            while !Task.isCancelled {
                // Ends by cancellation only.
                do { try await Task.sleep(for: Self.pause) } catch { return }
                await self?.flush()
            }
        }
    }

    /// Hands the store what was counted until now. What it cannot take is kept for the next time, as far as there is room.
    func flush() async {
        for loop in loops { book.add(await loop.takeRefusals()) }
        if let operators { book.add(await operators.takeRefusals()) }
        let counts = book.take()
        for first in stride(from: 0, to: counts.count, by: Self.atATime) {
            let part = Array(counts[first..<min(first + Self.atATime, counts.count)])
            do throws(StoreError) {
                let ahead = try await loops[0].count(part)
                lines?.tell(part, ahead: ahead)
            } catch {
                // What is certainly not done is kept; of what is unknown nothing is counted twice.
                let isUndone = if case .unavailable = error { true } else { false }
                book.add(Array(counts[(isUndone ? first : first + part.count)...]))
                break
            }
        }
        guard book.dropped > toldDropped else { return }
        log.warning(
            "refusals were not counted, since the store could not take them",
            metadata: ["refusals": "\(book.dropped - toldDropped)"])
        toldDropped = book.dropped
    }

    /// Ends, with a last time.
    func end() async {
        flushing?.cancel()
        await flush()
        operators = nil
    }
}
