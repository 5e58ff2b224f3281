internal import Base
internal import Dispatch
public import Push

/// A loop as the store sees it: a serial queue that runs what is posted, and keeps what the feed told.
///
/// It checks what every loop relies on: positions only grow, so that no row is told twice, and none lies beyond what its event
/// says it tells up to.
public final class TestLoop: Mailbox {
    struct Feed: Sendable {
        var events: [FeedEvent] = []
        /// By lane, up to where it was told everything, from its snapshot on.
        var toldUpTo: [Lane: Position] = [:]
        var faults: [String] = []
    }

    private let queue = DispatchQueue(label: "test loop")
    private let feed = Locked(Feed())
    private let posted = Locked(0)

    /// A loop that follows no feed yet.
    public init() {}

    /// Jobs that were posted so far.
    public var jobs: Int { posted.withLock { $0 } }

    /// Runs the work after everything that was posted before.
    public func execute(_ work: @escaping @Sendable () -> Void) {
        posted.withLock { $0 += 1 }
        queue.async(execute: work)
    }

    /// Runs nothing of what is posted until `body` has ended, be it by an error: a loop that hangs.
    public func hanging<Result>(_ body: () async throws -> Result) async rethrows -> Result {
        queue.suspend()
        defer { queue.resume() }
        return try await body()
    }

    /// Follows a port's feed from now on.
    @discardableResult
    public func follow(_ port: any StorePort) async throws -> DirectorySnapshot {
        feed.withLock { $0 = Feed() }
        let snapshot = try await port.subscribe { [self] event in feed.withLock { $0.take(event) } }
        feed.withLock { $0.begin(with: snapshot) }
        return snapshot
    }

    /// Takes what a feed tells that is followed otherwise.
    public func take(_ event: FeedEvent) { feed.withLock { $0.take(event) } }

    /// What it was told that breaks the feed's order.
    public var faults: [String] { feed.withLock { $0.faults } }

    /// What was told since the last call.
    public func takeEvents() -> [FeedEvent] {
        feed.withLock { feed in
            defer { feed.events = [] }
            return feed.events
        }
    }

    /// Entries that were told since the last call, in order.
    public func takeEntries() -> [Entry] { takeEvents().flatMap(\.entries) }

    /// Waits for an entry among those that were not taken yet; takes none.
    public func waitForEntry(
        _ what: String, fileID: String = #fileID, line: Int = #line, _ isIt: (Entry) -> Bool
    ) async throws {
        try await eventually(what, fileID: fileID, line: line) {
            feed.withLock { $0.events }.contains { $0.entries.contains(where: isIt) }
        }
    }

    /// Waits for the row of a task; takes none.
    public func waitForRow(of task: TaskID, fileID: String = #fileID, line: Int = #line) async throws {
        try await waitForEntry("the row of \(task)", fileID: fileID, line: line) { entry in
            if case .row(let row) = entry { row.task == task } else { false }
        }
    }

    /// Waits until a session is asked to close.
    public func waitForClose(
        of session: SessionID, _ reason: DisconnectReason, fileID: String = #fileID, line: Int = #line
    ) async throws {
        try await waitForEntry("closing of a connection", fileID: fileID, line: line) { entry in
            if case .close(_, session, reason) = entry { true } else { false }
        }
    }

    /// How often a session was asked about since the last take.
    public func inquiries(about session: DeviceSession) -> Int {
        feed.withLock { $0.events }.flatMap(\.entries).count {
            if case .inquiry(session.device, session.id) = $0 { true } else { false }
        }
    }

    /// Whether a session was asked to close since the last take.
    public func wasAskedToClose(_ session: SessionID, _ reason: DisconnectReason) -> Bool {
        feed.withLock { $0.events }.contains { event in
            event.entries.contains { if case .close(_, session, reason) = $0 { true } else { false } }
        }
    }
}

extension TestLoop.Feed {
    /// What was told before the snapshot arrived is checked by it now.
    fileprivate mutating func begin(with snapshot: DirectorySnapshot) {
        let early = events
        toldUpTo[snapshot.lane] = snapshot.position
        for event in early { check(event) }
    }

    fileprivate mutating func take(_ event: FeedEvent) {
        events.append(event)
        if !toldUpTo.isEmpty { check(event) }
    }

    private mutating func check(_ event: FeedEvent) {
        switch event {
        case .gap(let lane, let now, _):
            if now < toldUpTo[lane] ?? .start { faults.append("a gap at \(now) goes back") }
            toldUpTo[lane] = now
        case .entries(let lane, let upTo, let entries):
            var last = toldUpTo[lane] ?? .start
            for entry in entries {
                guard let position = entry.position else { continue }
                if position <= last || position > upTo { faults.append("\(entry) after \(last), up to \(upTo)") }
                last = max(last, position)
            }
            if upTo < last { faults.append("told up to \(upTo) after \(last)") }
            toldUpTo[lane] = max(upTo, last)
        }
    }
}

extension FeedEvent {
    /// Its entries; none in a gap.
    public var entries: [Entry] {
        if case .entries(_, _, let entries) = self { entries } else { [] }
    }

    /// The rows among its entries.
    public var rows: [Row] {
        entries.compactMap { if case .row(let row) = $0 { row } else { nil } }
    }
}
