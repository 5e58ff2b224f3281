import Base
import Push
import StoreCore
import Testing

@Suite("What loops are told")
struct OutboxTests {
    /// Does at once what it is given.
    private final class Direct: Mailbox {
        func execute(_ job: @escaping @Sendable () -> Void) { job() }
    }

    @Test("that all have read anew what is committed is told whatever becomes of the next transaction")
    func owed() {
        let outbox = Outbox(of: Lane(index: 0), backlogLimit: 1_000)
        let told = Locked<[String]>([])
        outbox.join(Direct())
        outbox.subscribe(0) { event in if case .gap = event { told.withLock { $0.append("gap") } } }
        outbox.leaveGap { told.withLock { $0.append("all have") } }
        // A transaction that told something else, and failed.
        outbox.confirm(0) { told.withLock { $0.append("what failed") } }
        outbox.clear()
        outbox.send(upTo: 0) {
            DirectorySnapshot(lane: Lane(index: 0), position: Position(raw: 0), apps: [], organisations: [])
        }
        #expect(told.withLock { $0 } == ["gap", "all have"])
    }
}
