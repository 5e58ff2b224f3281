/// Callers' and operators' half of the store. One call is one decision, made by the store; the store batches what comes in.
public protocol TaskStore: Sendable {
    /// Decides and stores, in this order: app (2004, 2007, 2008), `out_biz_no` (2109 or the first task), expiry (2103), rate (2301),
    /// target (2201 to 2203), scope (2009), test devices (2205), size (2105).
    /// - Parameters:
    ///   - withinRate: the loop's verdict; it counts only when the request is neither a repeat nor refused before it.
    ///   - answer: called once, on the loop. Not a suspended call, so that what is asked most often needs no task.
    func append(_ request: PushRequest, withinRate: Bool, answer: @escaping @Sendable (Accepted) -> Void)

    /// Returns when no loop of any node hands the task to a connection any more.
    /// - Parameter app: whose task it must be; `nil` for an operator.
    /// - Throws: `refused` with 2204.
    func cancel(_ task: TaskID, by app: AppKey?) async throws(StoreError)

    /// Counts include every acknowledgement that was handed over before the call.
    func report(_ task: TaskID, to app: AppKey?) async throws(StoreError) -> TaskReport

    func recipients(of task: TaskID, to app: AppKey?, state: RecipientState, after: PageToken?, limit: Int)
        async throws(StoreError) -> Page<Recipient>

    /// Newest first.
    func tasks(_ filter: TaskFilter, after: PageToken?, limit: Int) async throws(StoreError) -> Page<TaskReport>

    /// The app's tasks with that tag, `from` ≤ `created_at` < `to` (Unix milliseconds).
    /// - Throws: `refused` with 2103 over 1,000,000 tasks.
    func totals(app: AppKey, tag: String, from: Int64?, to: Int64?) async throws(StoreError) -> (tasks: Int, counts: Counts)

    /// Whether pushes can be taken now; cheap.
    var health: Health { get }
}

extension TaskStore {
    /// ``append(_:withinRate:answer:)`` for who may wait.
    public func append(_ request: PushRequest, withinRate: Bool) async -> Accepted {
        await withCheckedContinuation { continuation in
            append(request, withinRate: withinRate) { continuation.resume(returning: $0) }
        }
    }
}

/// The answer to a push.
public enum Accepted: Sendable, Equatable {
    /// Durable as the store promises.
    case stored(TaskID)
    /// The first answer to this `out_biz_no`.
    case repeated(TaskID)
    /// Certainly not stored.
    case refused(Refusal)
    /// Certainly not stored: 2302.
    case unavailable(retryAfter: Duration)
    /// 2901; a repeat with the same `out_biz_no` is safe.
    case unknown
}

/// Why the store did not do what it was asked.
public enum StoreError: Error, Hashable, Sendable {
    case refused(Refusal)
    /// Certainly not done: 2302.
    case unavailable(retryAfter: Duration)
    /// 2901: whether it was done is unknown.
    case unknown
}

/// Whether the store takes changes.
public enum Health: Hashable, Sendable {
    case serving
    /// The disk is full: heals by itself.
    case full
    /// A write or fsync failed: serves reads until a restart.
    case failed(reason: String)
}

/// The counts of one task, or sums of them. The seven after `targeted` sum to it.
public struct Counts: Hashable, Sendable {
    /// Devices that it addressed, and those that joined it later.
    public var targeted = 0
    /// Their PUBACK arrived.
    public var delivered = 0
    /// Still to come.
    public var pending = 0
    /// It expired before they had it.
    public var expired = 0
    /// A newer configuration came before they had it.
    public var superseded = 0
    /// It was cancelled before they had it.
    public var cancelled = 0
    /// Their holder changed, or they are no test devices any more.
    public var withdrawn = 0
    /// It is larger than they take.
    public var skippedOversize = 0
    /// They told that it was opened.
    public var opened = 0
    /// They told that it was applied.
    public var applied = 0
    /// They told that it failed.
    public var failed = 0

    /// All zero.
    public init() {}

    /// Adds every count.
    public static func += (sum: inout Counts, other: Counts) {
        sum.targeted += other.targeted
        sum.delivered += other.delivered
        sum.pending += other.pending
        sum.expired += other.expired
        sum.superseded += other.superseded
        sum.cancelled += other.cancelled
        sum.withdrawn += other.withdrawn
        sum.skippedOversize += other.skippedOversize
        sum.opened += other.opened
        sum.applied += other.applied
        sum.failed += other.failed
    }
}

/// Where a task stands.
public enum TaskStatus: String, Hashable, Sendable {
    case active
    /// Nothing pending, for good.
    case completed
    case expired
    case cancelled
    case superseded
}

/// A task with its counts.
public struct TaskReport: Sendable {
    /// Its number.
    public let task: TaskID
    /// Whose it is.
    public let app: AppKey
    /// By which interface it came.
    public let interface: Interface
    /// Whom it addresses, as the caller named it.
    public let target: PushRequest.Target
    /// The caller's payload object without insignificant white space.
    public let payload: [UInt8]
    /// Whether it was for test devices only.
    public let testOnly: Bool
    /// The caller's words on it.
    public let description: String?
    /// What the caller groups it by.
    public let tag: String?
    /// Unix milliseconds.
    public let createdAt: Int64
    /// Unix milliseconds; `nil` never.
    public let expireAt: Int64?
    /// Where it stands.
    public let status: TaskStatus
    /// What became of its devices.
    public let counts: Counts

    /// A task as of one moment.
    public init(
        task: TaskID, app: AppKey, interface: Interface, target: PushRequest.Target, payload: [UInt8], testOnly: Bool,
        description: String?, tag: String?, createdAt: Int64, expireAt: Int64?, status: TaskStatus, counts: Counts
    ) {
        self.task = task
        self.app = app
        self.interface = interface
        self.target = target
        self.payload = payload
        self.testOnly = testOnly
        self.description = description
        self.tag = tag
        self.createdAt = createdAt
        self.expireAt = expireAt
        self.status = status
        self.counts = counts
    }
}

/// The lists of a task's devices.
public enum RecipientState: String, Hashable, Sendable, CaseIterable {
    case delivered
    case pending
    case expired
    case superseded
    case cancelled
    case withdrawn
    case skippedOversize = "skipped_oversize"
    case opened
    case applied
    case failed
}

/// One device of a task.
public struct Recipient: Hashable, Sendable {
    /// Its token.
    public let device: DeviceToken
    /// What the device told with an event.
    public let detail: String?
    /// A device with what it told.
    public init(device: DeviceToken, detail: String?) {
        self.device = device
        self.detail = detail
    }
}

/// Which tasks an operator asks for; all that is given must hold.
public struct TaskFilter: Hashable, Sendable {
    /// Tasks of that app.
    public var app: AppKey?
    /// Tasks that address that organisation itself.
    public var organisation: OrgID?
    /// Created at or after, Unix milliseconds.
    public var from: Int64?
    /// Created before, Unix milliseconds.
    public var to: Int64?
    /// Every task, unless said otherwise.
    public init(app: AppKey? = nil, organisation: OrgID? = nil, from: Int64? = nil, to: Int64? = nil) {
        self.app = app
        self.organisation = organisation
        self.from = from
        self.to = to
    }
}

/// Where a list goes on; opaque, only the store parses it.
public struct PageToken: Hashable, Sendable {
    /// As it stands in an address.
    public let text: String
    /// Any text: the store decides whether it gave it out.
    public init(_ text: String) { self.text = text }
}

/// A part of a list: it may hold fewer than asked, even none; the list ends where `next` is `nil`.
public struct Page<Item: Sendable>: Sendable {
    /// In the list's order.
    public let items: [Item]
    /// Where the next page begins.
    public let next: PageToken?
    /// A part of a list.
    public init(items: [Item], next: PageToken?) {
        self.items = items
        self.next = next
    }
}
