import Base
public import Libevent
public import Push

/// A loop as a mailbox.
public struct LoopMailbox: Mailbox {
    private let loop: EventLoop
    /// Posts to that loop.
    public init(_ loop: EventLoop) { self.loop = loop }
    /// Posts to the loop.
    public func execute(_ work: @escaping @Sendable () -> Void) { loop.execute(work) }
}

/// A store in memory: the ``MemoryLog`` behind the store's protocols, for any number of loops. Every change is a commit of its
/// own: one job to each loop, its entries first, then the answer.
///
/// A test can look into it, hold pages back, and make it fail.
public final class MemoryStore: Store {
    typealias Deliver = @Sendable (FeedEvent) -> Void
    typealias Answer = @Sendable () -> Void

    struct Door: Sendable {
        let mailbox: any Mailbox
        var deliver: Deliver?
    }

    struct Waiting: Sendable {
        let token: DeviceToken
        let secret: [UInt8]
        let certificate: CertificateFingerprint?
        let session: SessionID
        let door: Int
        let answer: @Sendable (Result<Attached, AttachError>) -> Void
    }

    /// A question about a session.
    struct Inquiry: Sendable {
        let session: SessionID
        let door: Int
        let answer: @Sendable (Unacknowledged?) -> Void
    }

    struct State: Sendable {
        var log = MemoryLog()
        var doors: [Door] = []
        var apps: [AppKey: App] = [:]
        var tasks: [TaskID: TaskRecord] = [:]
        var byOutBizNo: [ExactText: TaskID] = [:]
        var nonces: Set<ExactText> = []
        var waiting: [DeviceToken: Waiting] = [:]
        /// Whose a session is, also when the device is gone.
        var tokens: [SessionID: DeviceToken] = [:]
        var told: [Told: String] = [:]
        /// Who waits for what a loop tells of a session.
        var inquiries: [Inquiry] = []
        var heldPages: [(door: Int, answer: Answer)] = []
        var heldReceipts: [(door: Int, answer: Answer)] = []
        /// Imports whose text is still coming, and those that ended when nobody waited.
        var imports: [ImportID: [ImportPart]] = [:]
        var imported: [ImportReport] = []
        var audit: [AuditedEntry] = []
        /// Which refusals have an entry.
        var refused = AuditThrottle()
        var refusals: [RefusalCount] = []
        var behaviour = Behaviour()
        var isClosed = false
        var calls = Calls()
    }

    /// What a test makes of it.
    public struct Behaviour: Sendable {
        /// Pages are read when they are asked for, and wait for ``MemoryStore/releasePages()``.
        public var holdsPages = false
        /// Receipts are committed, and their answers wait for ``MemoryStore/releaseReceipts()``.
        public var holdsReceipts = false
        /// Everything is refused as unavailable.
        public var isUnavailable = false
        /// The same, as of a store on another machine that does not answer.
        public var isUnreachable = false { didSet { isUnavailable = isUnreachable } }
        /// No feed begins.
        public var refusesFeeds = false
        /// No more acknowledgements are taken.
        public var isFull = false
        /// How many rows of the log a page looks at.
        public var scan = Int.max
        /// The wall clock, Unix milliseconds.
        public var now: Int64 = 1_000

        var health: Health {
            isUnreachable ? .unreachable(reason: BilingualText("按测试的要求", "as a test wants it")) : isUnavailable ? .full : .serving
        }
    }

    /// What was asked of it.
    public struct Calls: Sendable {
        /// Sessions that were let in.
        public var attached: [SessionID] = []
        /// Sessions that ended.
        public var detached: [SessionID] = []
        /// Pages that were asked for.
        public var pages = 0
        /// Facts that were handed over.
        public var settled: [Delivery] = []
        /// Receipts that were handed over.
        public var receipts: [Receipt] = []
    }

    /// A device's receipt, for counting it once.
    struct Told: Hashable {
        let task: TaskID
        let device: DeviceHandle
        let event: ReceiptEvent
    }

    let state = Locked(State())
    /// By which devices are served; pages are read by the time that a test makes it.
    public let clock: StoreClock
    /// Under which devices are served.
    public let lease: Lease

    /// What every process is called that has it.
    public static let node = NodeName(host: "memory")

    /// An empty store.
    public init(lease: Lease = .unlimited) {
        self.lease = lease
        clock = StoreClock(base: WallClock.microseconds - BootClock.microseconds) { BootClock.microseconds }
    }

    /// It is never late.
    public var status: StoreStatus {
        StoreStatus(health: state.withLock { $0.behaviour.health }, waiting: 0, longestWait: 0)
    }

    /// It is on no disk.
    public var storage: StorageUse? { nil }

    /// It is never held.
    public var holdTimes: HoldTimes { HoldTimes() }

    /// A loop's own port.
    public func port(for mailbox: any Mailbox) -> any StorePort {
        let index = state.withLock { state in
            state.doors.append(Door(mailbox: mailbox))
            return state.doors.count - 1
        }
        return MemoryPort(store: self, door: index)
    }

    /// From now on everything is refused; who waits for a device is, too.
    @discardableResult
    public func close() -> Bool {
        state.withLock { state in
            state.isClosed = true
            state.behaviour.isUnavailable = true
            for waiting in state.waiting.values {
                Self.post([], answer: { waiting.answer(.failure(.unavailable)) }, to: waiting.door, state: &state)
            }
            state.waiting = [:]
        }
        return true
    }

    /// Looks into it.
    public func read<R: Sendable>(_ body: (MemoryLog) -> R) -> R { state.withLock { body($0.log) } }

    /// What was asked of it so far.
    public var calls: Calls { state.withLock { $0.calls } }

    /// Changes how it behaves.
    public func behave(_ body: (inout Behaviour) -> Void) { state.withLock { body(&$0.behaviour) } }

    /// Changes the log by one commit.
    @discardableResult
    public func commit<R: Sendable>(_ body: (inout MemoryLog) -> (R, [Entry])) -> R {
        state.withLock { state in
            let (result, entries) = body(&state.log)
            Self.post(entries, state: &state)
            return result
        }
    }

    /// Appends a row and commits it.
    @discardableResult
    public func push(
        to target: PushRequest.Target, task: TaskID? = nil, audience: Audience = Audience(), expires: Int64? = nil,
        topic: Topic = .message, payload: [UInt8]? = nil
    ) -> Row {
        commit { log in
            let row = log.append(to: target, task: task, audience: audience, expires: expires, topic: topic, payload: payload)
            return (row, [.row(row)])
        }
    }

    /// Another term of the lease begins: every loop is told so.
    /// - Parameter end: by the lease's clock.
    public func beginTerm(until end: Int64) {
        lease.beginTerm(until: end)
        leaveOut { _ in }
    }

    /// Every loop is told that something was left out.
    public func leaveOut(_ body: (inout MemoryLog) -> Void) {
        state.withLock { state in
            body(&state.log)
            let snapshot = snapshot(state)
            let end = state.log.end
            for case let (door, deliver?) in state.doors.map({ ($0, $0.deliver) }) {
                door.mailbox.execute { deliver(.gap(MemoryLog.lane, now: end, snapshot)) }
            }
        }
    }

    func snapshot(_ state: State) -> DirectorySnapshot {
        state.log.snapshot(apps: Array(state.apps.values), term: lease.lastTerm)
    }

    /// Lets the pages go that were held back.
    public func releasePages() {
        state.withLock { state in
            for held in state.heldPages { state.doors[held.door].mailbox.execute(held.answer) }
            state.heldPages = []
            state.behaviour.holdsPages = false
        }
    }

    /// Lets the answers to receipts go that were held back.
    public func releaseReceipts() {
        state.withLock { state in
            for held in state.heldReceipts { state.doors[held.door].mailbox.execute(held.answer) }
            state.heldReceipts = []
            state.behaviour.holdsReceipts = false
        }
    }

    /// As ``post(_:answer:to:state:)``, but the answer waits until every loop has applied the entries.
    static func confirm(_ entries: [Entry], answer: @escaping Answer, to door: Int, state: inout State) {
        let end = state.log.end
        let mailbox = state.doors[door].mailbox
        let followers = state.doors.filter { $0.deliver != nil }
        let missing = Locked(followers.count)
        guard !entries.isEmpty, !followers.isEmpty else { return mailbox.execute(answer) }
        for follower in followers {
            follower.mailbox.execute {
                follower.deliver?(.entries(MemoryLog.lane, upTo: end, entries))
                let isLast = missing.withLock { count in
                    count -= 1
                    return count == 0
                }
                if isLast { mailbox.execute(answer) }
            }
        }
    }

    /// One job to each loop: the entries, then its own answer.
    static func post(_ entries: [Entry], answer: Answer? = nil, to door: Int? = nil, state: inout State) {
        let end = state.log.end
        for (index, target) in state.doors.enumerated() {
            let own = index == door ? answer : nil
            let deliver = entries.isEmpty ? nil : target.deliver
            guard own != nil || deliver != nil else { continue }
            target.mailbox.execute {
                deliver?(.entries(MemoryLog.lane, upTo: end, entries))
                own?()
            }
        }
    }
}

/// One loop's door to a ``MemoryStore``.
public struct MemoryPort: StorePort {
    let store: MemoryStore
    let door: Int

    /// The store's.
    public var clock: StoreClock { store.clock }
    /// The store's.
    public var lease: Lease { store.lease }

    /// The clock that a test makes it, which is never ahead.
    public func clockState() async throws(StoreError) -> ClockState {
        let now = store.state.withLock { $0.behaviour.now }
        return ClockState(storeTime: now, wallClock: now, isSynchronised: true, steps: 0, ahead: nil)
    }

    /// Changes nothing.
    public func acceptWallClock(by call: OperatorCall) async throws(StoreError) -> ClockState {
        record(AuditEntry(call, .clockAccept))
        return try await clockState()
    }

    /// Begins the feed.
    public func subscribe(_ deliver: @escaping @Sendable (FeedEvent) -> Void) async throws(StoreError) -> DirectorySnapshot {
        guard store.state.withLock({ !$0.behaviour.isUnreachable && !$0.behaviour.refusesFeeds }) else {
            throw .unavailable(retryAfter: .seconds(1))
        }
        return await withCheckedContinuation { continuation in
            store.state.withLock { state in
                precondition(state.doors[door].deliver == nil, "subscribed once")
                state.doors[door].deliver = deliver
                let snapshot = store.snapshot(state)
                state.doors[door].mailbox.execute { continuation.resume(returning: snapshot) }
            }
        }
    }

    /// Runs one decision as a commit; `answer` gets the answer, on the loop.
    func decide<R: Sendable>(
        _ body: @Sendable (inout MemoryStore.State) -> (R, [Entry]), answer: @escaping @Sendable (R) -> Void
    ) {
        store.state.withLock { state in
            let (result, entries) = body(&state)
            MemoryStore.post(entries, answer: { answer(result) }, to: door, state: &state)
        }
    }

    /// Runs what may be refused as a commit; answered when every loop has applied it.
    func attempt<R: Sendable>(
        _ body: @Sendable (inout MemoryStore.State) -> (Result<R, StoreError>, [Entry])
    ) async throws(StoreError) -> R {
        let result: Result<R, StoreError> = await withCheckedContinuation { continuation in
            store.state.withLock { state in
                let isUnavailable = state.behaviour.isUnavailable
                let (result, entries) =
                    isUnavailable ? (.failure(.unavailable(retryAfter: .seconds(1))), []) : body(&state)
                MemoryStore.confirm(entries, answer: { continuation.resume(returning: result) }, to: door, state: &state)
            }
        }
        return try result.get()
    }
}
