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

    /// Does what it is given when it is told to.
    private final class Late: Mailbox {
        private let jobs = Locked<[@Sendable () -> Void]>([])
        func execute(_ job: @escaping @Sendable () -> Void) { jobs.withLock { $0.append(job) } }
        func run() {
            var due: [@Sendable () -> Void] = []
            jobs.withLock { swap(&$0, &due) }
            for job in due { job() }
        }
    }

    @Test("a loop that is behind is not told that it has everything when one of its connections is closed")
    func closedBehindAGap() {
        let outbox = Outbox(of: Lane(index: 0), backlogLimit: 10_000)
        let told = Locked<[Position]>([])
        let (mailbox, gaps) = (Late(), Locked(0))
        outbox.join(mailbox)
        outbox.subscribe(0) { event in
            switch event {
            case .entries(_, let upTo, _): told.withLock { $0.append(upTo) }
            case .gap: gaps.withLock { $0 += 1 }
            }
        }
        func send(_ head: UInt64) {
            outbox.send(upTo: head) {
                DirectorySnapshot(lane: Lane(index: 0), position: Position(raw: head), apps: [], organisations: [])
            }
        }
        let close = Entry.close(DeviceHandle(ordinal: 1), session: SessionID(raw: 1), .takenOver)
        outbox.post(.ended(TaskID("1"), at: Position(raw: 1)))
        send(1)
        // The loop has not come to it yet.
        outbox.leaveGap {}
        outbox.post(.ended(TaskID("2"), at: Position(raw: 2)))
        outbox.post(close)
        send(2)
        mailbox.run()
        #expect(told.withLock { $0.max() } == Position(raw: 1))
        #expect(gaps.withLock { $0 } == 0)
        outbox.post(close)
        send(3)
        mailbox.run()
        #expect(told.withLock { $0.max() } == Position(raw: 1))
        #expect(gaps.withLock { $0 } == 1)
    }
}
