import Base
import Dispatch
import Push
import Synchronization

/// A loop as the store sees it: a serial queue that runs what is posted, and keeps what the feed told.
final class TestLoop: Mailbox {
    private let queue = DispatchQueue(label: "test loop")
    private let events = Locked<[FeedEvent]>([])
    private let posted = Atomic(0)

    /// Jobs that were posted so far.
    var jobs: Int { posted.load(ordering: .relaxed) }

    func execute(_ work: @escaping @Sendable () -> Void) {
        posted.add(1, ordering: .relaxed)
        queue.async(execute: work)
    }

    /// From now on nothing that is posted runs: a loop that hangs.
    func suspend() { queue.suspend() }

    func resume() { queue.resume() }

    /// Handed to `subscribe`.
    func deliver(_ event: FeedEvent) { events.withLock { $0.append(event) } }

    /// What was told since the last call.
    func takeEvents() -> [FeedEvent] {
        events.withLock { events in
            defer { events = [] }
            return events
        }
    }

    /// Entries that were told since the last call, in order.
    func takeEntries() -> [Entry] {
        takeEvents().flatMap { event -> [Entry] in
            if case .entries(_, _, let entries) = event { entries } else { [] }
        }
    }
}
