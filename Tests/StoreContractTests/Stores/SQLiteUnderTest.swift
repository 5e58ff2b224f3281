import Base
import FaultVFS
import Push
import StoreContract

@testable import SQLiteStore

extension StoreKind {
    /// The embedded store.
    static let sqlite = StoreKind("SQLiteStore", unclaimed: [.distance: "its file is in a directory of this machine"]) {
        try SQLiteUnderTest(variation: $0)
    }
}

/// The embedded store in a directory of its own, on a disk that forgets in a crash what was not synced.
final class SQLiteUnderTest: StoreUnderTest {
    private struct Opened: Sendable {
        let directory: TemporaryDirectory
        let disk: FaultyDisk
        let store: SQLiteStore
        /// A port of its own, for looking inside.
        let port: LoopPort?
        var isOpen = true
    }

    private let clock = ManualClock()
    private let gate = SliceGate()
    private let options: SQLiteStore.Options
    private let opened: Locked<Opened>

    /// - Parameter variation: 0 for the sizes that a server uses, any other for small ones, by which merges, checkpoints
    ///   and slices happen all the time.
    init(variation: UInt64) throws {
        var options = SQLiteStore.Options()
        let gate = gate
        options.clocks = clock.clocks
        options.node = NodeName(host: "the-one")
        options.tuning.mayFollowUp = { gate.pass() }
        if variation != 0 {
            var random = SplitMix(seed: variation)
            options.tuning.mergeThreshold = Int.random(in: 1...12, using: &random)
            options.tuning.mergePause = Int.random(in: 1...40, using: &random)
            options.tuning.checkpointThreshold = Int.random(in: 5...200, using: &random)
            options.tuning.steps = Int.random(in: 1...30, using: &random)
        }
        self.options = options
        opened = Locked(try Self.open(try TemporaryDirectory(), options))
    }

    private static func open(_ directory: TemporaryDirectory, _ options: SQLiteStore.Options) throws -> Opened {
        let disk = FaultyDisk(prefix: directory.path)
        let store = try SQLiteStore.open(directory: directory.path, options: options)
        return Opened(directory: directory, disk: disk, store: store, port: store.port(for: TestLoop()) as? LoopPort)
    }

    func port(at node: Int, for mailbox: any Mailbox) -> any StorePort { opened.withLock { $0.store }.port(for: mailbox) }

    func name(ofNode node: Int) -> NodeName { options.node }

    var now: Int64 { clock.now }

    func advance(by milliseconds: Int64) { clock.advance(by: milliseconds) }

    func step(by milliseconds: Int64) { clock.step(by: milliseconds) }

    func holdSlices(_ areHeld: Bool) { gate.hold(areHeld) }

    var isHoldingSlice: Bool { gate.isHolding }

    func letSliceGo() { gate.letOneGo() }

    func close() {
        let store = opened.withLock { opened in
            defer { opened.isOpen = false }
            return opened.isOpen ? opened.store : nil
        }
        store?.close()
    }

    func reopen(after ending: Ending) async throws {
        let new = try Self.open(try leave(after: ending), options)
        opened.withLock { $0 = new }
    }

    /// Ends it.
    /// - Returns: the directory that is left.
    func leave(after ending: Ending) throws -> TemporaryDirectory {
        let old = opened.withLock { $0 }
        var directory = old.directory
        if case .crash = ending {
            directory = try TemporaryDirectory()
            let code = old.disk.failPower(into: directory.path)
            guard code == 0 else { throw UnexpectedAnswer("errno \(code)") }
        }
        close()
        return directory
    }

    /// The machine ends, and boots so long afterwards.
    func reboot(after downtime: Int64) { clock.reboot(after: downtime) }

    /// Of the machine that it is on.
    var clocks: SystemClocks { clock.clocks }

    /// Statements that somebody has forgotten to end.
    var complaints: [String] {
        get async throws {
            guard let port = opened.withLock({ $0.port }) else { return ["no port of its own"] }
            var busy = try await port.ask { decisions, _ throws(SQLiteError) in decisions.tables.database.busyStatements }
            for reader in [port.store.reports, port.store.pages] {
                busy += try await port.read(reader) { context throws(SQLiteError) in context.database.busyStatements }
            }
            return busy
        }
    }
}
