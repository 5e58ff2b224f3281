import Base
import FaultVFS
import Push
import StoreContract
import StoreCopying

@testable import PostgresStore

extension StoreKind {
    /// An embedded store that is copied into a database when it is opened again for the first time, and is a shared one from then
    /// on.
    static let copied = StoreKind(
        "SQLiteStore, and then PostgresStore",
        unclaimed: [
            .promptFeed: "a node follows the log behind the answer",
            .sharedFacts: "a node writes what it was told each quarter of a second",
            .exactCursors: "a cursor is written each minute, and of what was joined nothing else tells",
            .distance: "it is not shared from the beginning",
        ]
    ) { try CopiedUnderTest(variation: $0) }
}

/// The embedded store, and what is made of it.
final class CopiedUnderTest: StoreUnderTest {
    private struct State: Sendable {
        var shared: PostgresUnderTest?
        var holdsSlices = false
    }

    private let embedded: SQLiteUnderTest
    private let state = Locked(State())

    init(variation: UInt64) throws { embedded = try SQLiteUnderTest(variation: variation) }

    /// What it has become.
    var shared: PostgresUnderTest? { state.withLock { $0.shared } }

    private var current: any StoreUnderTest { state.withLock { $0.shared } ?? embedded }

    func port(at node: Int, for mailbox: any Mailbox) -> any StorePort { current.port(at: node, for: mailbox) }
    func name(ofNode node: Int) -> NodeName { current.name(ofNode: node) }
    var now: Int64 { get async throws { try await current.now } }
    func advance(by milliseconds: Int64) async throws { try await current.advance(by: milliseconds) }
    func step(by milliseconds: Int64) async throws { try await current.step(by: milliseconds) }
    func close() { current.close() }
    var isHoldingSlice: Bool { current.isHoldingSlice }
    func letSliceGo() { current.letSliceGo() }
    var complaints: [String] { get async throws { try await current.complaints } }

    func holdSlices(_ areHeld: Bool) {
        state.withLock { $0.holdsSlices = areHeld }
        current.holdSlices(areHeld)
    }

    func reopen(after ending: Ending) async throws {
        if let shared = state.withLock({ $0.shared }) { return try await shared.reopen(after: ending) }
        let directory = try embedded.leave(after: ending)
        let shared = try await embedded.copied(from: directory, holdingSlices: state.withLock { $0.holdsSlices })
        state.withLock { $0.shared = shared }
    }
}

extension SQLiteUnderTest {
    /// A shared store with what is in the directory, on machines whose clocks agree with those of this one.
    func copied(from directory: TemporaryDirectory, holdingSlices: Bool = false) async throws -> PostgresUnderTest {
        try await PostgresUnderTest(
            filledBy: { database in
                _ = try await StoreCopy(from: directory.path, to: database, clocks: clocks).run { _, _ in }
            }, at: now, holdsSlices: holdingSlices)
    }
}
