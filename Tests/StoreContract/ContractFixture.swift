public import Push

/// A store as the contract's tests drive it: two loops, each with a port and a feed.
public final class ContractFixture {
    /// What it is.
    public let kind: StoreKind
    /// The store itself.
    public let store: any StoreUnderTest
    /// The loop of ``port``.
    public let loop = TestLoop()
    /// The loop of ``other``.
    public let otherLoop = TestLoop()
    /// The port that a test uses.
    public private(set) var port: any StorePort
    /// A second one: of another loop, and where the store has several nodes, of another node.
    public private(set) var other: any StorePort

    init(_ store: any StoreUnderTest, _ kind: StoreKind) async throws {
        self.store = store
        self.kind = kind
        port = Self.port(of: store, kind, loop)
        other = store.port(at: 1, for: otherLoop)
        try await loop.follow(port)
        try await otherLoop.follow(other)
    }

    /// The port that a test uses: of the first node, or by both in turn. Answers of both come to one loop.
    private static func port(of store: any StoreUnderTest, _ kind: StoreKind, _ loop: TestLoop) -> any StorePort {
        let port = store.port(at: 0, for: loop)
        return kind.isInTurn ? AlternatingPort(port, store.port(at: 1, for: loop)) : port
    }

    deinit { store.close() }

    /// What the wall clock says.
    public var now: Int64 { get async throws { try await store.now } }

    /// Time passes.
    public func advance(by milliseconds: Int64) async throws { try await store.advance(by: milliseconds) }

    /// Somebody sets the wall clock; no time passes.
    public func step(by milliseconds: Int64) async throws { try await store.step(by: milliseconds) }

    /// Ends the store and opens it again. Both ports are new ones; sessions are gone.
    public func restart(after ending: Ending = .close) async throws {
        if case .close = ending { store.close() }
        try await store.reopen(after: ending)
        port = Self.port(of: store, kind, loop)
        other = store.port(at: 1, for: otherLoop)
        try await loop.follow(port)
        try await otherLoop.follow(other)
    }

    /// A further port of the first node, on a loop of its own that does not follow the feed yet.
    public func newPort() -> (port: any StorePort, loop: TestLoop) {
        let loop = TestLoop()
        return (store.port(at: 0, for: loop), loop)
    }

    /// The counts of a task, by a port that was told none of its acknowledgements. They are those at the deadline where they
    /// have not become right by then.
    public func counts(_ task: TaskID, by port: any StorePort, once isRight: (Counts) -> Bool) async throws -> Counts {
        let deadline = countingDeadline
        while true {
            // A look that begins after the deadline is the last one, so that a test that stood still meanwhile proves nothing.
            let isLast = ContinuousClock.now >= deadline
            let counts = try await port.counts(task)
            if isLast || isRight(counts) { return counts }
            try await Task.sleep(for: .milliseconds(1))
        }
    }

    /// When every port counts what the other was told by now.
    var countingDeadline: ContinuousClock.Instant {
        kind.claims([.sharedFacts]) ? .now : .now + kind.longestUntilCounted
    }
}
