public import Base

/// Callers' and operators' half of the store. One call is one decision, made by the store; the store batches what comes in.
public protocol TaskStore: Sendable {
    /// Decides and stores, in this order: app (2004, 2007, 2008), nonce (2006, 2005), `out_biz_no` (2109 or the first task),
    /// expiry (2103), rate (2301), target (2201 to 2203), scope (2009), test devices (2205), size (2105).
    /// - Parameter answer: called once, on the loop. Not a suspended call, so that what is asked most often needs no task.
    func append(_ request: PushRequest, answer: @escaping @Sendable (Accepted) -> Void)

    /// The same for an operator who pushes on behalf of an app: the task is the app's, and its rules hold. Beside them: 2011, and
    /// 2206 instead of 2004. To an operator with a scope an app exists whose own is none, above it, the same or inside, and a
    /// target that is inside: a user all of whose devices are. The request's nonce and origin are not looked at: the call tells
    /// from where it comes.
    func append(_ request: PushRequest, by call: OperatorCall) async -> Accepted

    /// What ``append(_:by:)`` would do now. Nothing is stored, and nothing taken of the app's quota.
    /// - Throws: `refused` as that would be.
    func preview(_ request: PushRequest, by call: OperatorCall) async throws(StoreError) -> PushPreview

    /// Returns when no loop of any node hands the task to a connection any more. One that has ended stays as it is.
    /// - Parameters:
    ///   - app: whose task it must be.
    ///   - nonce: of a request that is signed as a whole.
    /// - Returns: where the task stands.
    /// - Throws: `refused` with 2204; 2006 or 2005 for the nonce.
    @discardableResult
    func cancel(_ task: TaskID, by app: AppKey, nonce: UsedNonce?) async throws(StoreError) -> TaskStatus

    /// The same for an operator, who may recall any app's task.
    /// - Throws: `refused` with 2204.
    @discardableResult
    func cancel(_ task: TaskID, by call: OperatorCall) async throws(StoreError) -> TaskStatus

    /// Counts include every acknowledgement that was handed over before the call.
    /// - Parameters:
    ///   - app: whose task it must be; `nil` for an operator.
    ///   - scope: the organisation to which an operator is confined. A task is inside by whom it addressed: an organisation by
    ///     itself, a device by where it was when the task was accepted, a user by all devices that the user has now.
    func report(_ task: TaskID, to app: AppKey?, within scope: OrgID?) async throws(StoreError) -> TaskReport

    /// - Parameter scope: names devices only that are inside of it now, of a task that is.
    func recipients(
        of task: TaskID, to app: AppKey?, within scope: OrgID?, state: RecipientState, after: PageToken?, limit: Int
    ) async throws(StoreError) -> Page<Recipient>

    /// Why a device has a task, or has it not; what it acknowledged before the call counts.
    /// - Parameters:
    ///   - scope: inside of which both must be, and everything else that is told.
    ///   - patience: how long the loop of its connection is waited for.
    /// - Throws: `refused` with 2204 or 2201.
    func explain(
        _ task: TaskID, to device: DeviceToken, within scope: OrgID?, patience: Duration
    ) async throws(StoreError) -> Explanation

    /// Newest first.
    func tasks(_ filter: TaskFilter, after: PageToken?, limit: Int) async throws(StoreError) -> Page<TaskReport>

    /// The app's tasks with that tag, `from` ≤ `created_at` < `to` (Unix milliseconds).
    /// - Throws: `refused` with 2103 over 1,000,000 tasks.
    func totals(app: AppKey, tag: ExactText, from: Int64?, to: Int64?) async throws(StoreError) -> (tasks: Int, counts: Counts)

    /// Whether pushes can be taken now; cheap.
    var health: Health { get }
}

extension TaskStore {
    /// ``cancel(_:by:nonce:)`` for a request that has none.
    @discardableResult
    public func cancel(_ task: TaskID, by app: AppKey) async throws(StoreError) -> TaskStatus {
        try await cancel(task, by: app, nonce: nil)
    }

    /// Wherever it is.
    public func report(_ task: TaskID, to app: AppKey?) async throws(StoreError) -> TaskReport {
        try await report(task, to: app, within: nil)
    }

    /// Wherever they are.
    public func recipients(
        of task: TaskID, to app: AppKey?, state: RecipientState, after: PageToken?, limit: Int
    ) async throws(StoreError) -> Page<Recipient> {
        try await recipients(of: task, to: app, within: nil, state: state, after: after, limit: limit)
    }

    /// Wherever both are.
    public func explain(_ task: TaskID, to device: DeviceToken, patience: Duration) async throws(StoreError) -> Explanation {
        try await explain(task, to: device, within: nil, patience: patience)
    }

    /// ``append(_:answer:)`` for who may wait.
    public func append(_ request: PushRequest) async -> Accepted {
        await withCheckedContinuation { continuation in
            append(request) { continuation.resume(returning: $0) }
        }
    }
}
