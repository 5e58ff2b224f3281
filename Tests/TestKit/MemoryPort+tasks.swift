public import Base
public import Push

/// What the store keeps of a push.
struct TaskRecord: Sendable {
    let request: PushRequest
    let task: TaskID
    let row: Row
    let createdAt: Int64
    let expireAt: Int64?
    /// The operator who has pushed it for the app.
    var call: OperatorCall?
    /// The devices it addressed when it was accepted.
    let targeted: Set<DeviceHandle>
    let tooLarge: Set<DeviceHandle>
    var isCancelled = false
}

extension MemoryPort {
    /// Decides as a store does, without batches.
    public func append(_ request: PushRequest, answer: @escaping @Sendable (Accepted) -> Void) {
        decide(
            { state in
                guard !state.behaviour.isUnavailable else { return (.unavailable(retryAfter: .seconds(1)), []) }
                do throws(Refusal) {
                    return try Self.append(request, &state)
                } catch {
                    return (.refused(error), [])
                }
            }, answer: answer)
    }

    /// The same for any operator: there are none with a scope here.
    public func append(_ request: PushRequest, by call: OperatorCall) async -> Accepted {
        do {
            return try await audited(AuditEntry(call, .push, AuditTarget(request.target))) { state in
                do throws(Refusal) {
                    guard state.apps[request.app] != nil else { throw Refusal(.noSuchApp, field: "appkey") }
                    let (accepted, entries) = try Self.append(request, &state)
                    if case .stored(let task) = accepted { state.tasks[task]?.call = call }
                    return (.success(accepted), entries)
                } catch {
                    return (.failure(.refused(error)), [])
                }
            }
        } catch {
            return Accepted(error)
        }
    }

    /// Does it in a copy of the state.
    public func preview(_ request: PushRequest, by call: OperatorCall) async throws(StoreError) -> PushPreview {
        try await attempt { state in
            var copy = state
            do throws(Refusal) {
                guard state.apps[request.app] != nil else { throw Refusal(.noSuchApp, field: "appkey") }
                guard case .stored(let task) = try Self.append(request, &copy).0, let record = copy.tasks[task] else {
                    return (.failure(.unknown), [])
                }
                let addressed = PushPreview.Addressed(
                    android: record.targeted.count - record.tooLarge.count, ios: record.tooLarge.count,
                    skippedOversize: record.tooLarge.count, online: nil, expireAt: record.expireAt)
                return (.success(.accepted(addressed)), [])
            } catch {
                return (.failure(.refused(error)), [])
            }
        }
    }

    private static func append(
        _ request: PushRequest, _ state: inout MemoryStore.State
    ) throws(Refusal) -> (Accepted, [Entry]) {
        guard let app = state.apps[request.app] else { throw Refusal(.unknownAppKey, field: "appkey") }
        if app.disabled { throw Refusal(.appDisabled, field: "appkey") }
        guard app.interfaces.contains(request.interface) else { throw Refusal(.interfaceNotAllowed, field: "appkey") }
        try use(request.nonce, of: request.app, &state)
        let key = request.idempotency.map { ExactText("\(request.app) \($0.outBizNo)") }
        if let key, let first = state.byOutBizNo[key] {
            guard state.tasks[first]?.request.idempotency == request.idempotency else {
                throw Refusal(.outBizNoReused, field: "policy.out_biz_no")
            }
            return (.repeated(first), [])
        }
        let now = state.behaviour.now
        let expires = try Expiry.resolve(request.expireTime, of: request.interface, now: now, offset: 0)
        let reached = try reach(request, state)
        let tooLarge = Set(
            reached.filter { !request.payload.fits($0.memberships.last?.membership.platform ?? .android) }.map(\.handle))
        guard tooLarge.count < reached.count || reached.isEmpty else { throw Refusal(.payloadTooLarge, field: "payload") }
        let row = state.log.append(
            to: request.target, audience: Audience(testOnly: request.testOnly, withoutIOS: !tooLarge.isEmpty), expires: expires,
            topic: request.interface == .message ? .message : .configuration)
        if let key { state.byOutBizNo[key] = row.task }
        state.tasks[row.task] = TaskRecord(
            request: request, task: row.task, row: row, createdAt: now, expireAt: expires, targeted: Set(reached.map(\.handle)),
            tooLarge: tooLarge)
        return (.stored(row.task), [.row(row)])
    }

    /// Remembers nonces for ever.
    private static func use(_ nonce: UsedNonce?, of app: AppKey, _ state: inout MemoryStore.State) throws(Refusal) {
        guard let nonce, !state.nonces.insert(ExactText("\(app) \(nonce.nonce.text)")).inserted else { return }
        throw Refusal(.wrongToken, field: "authorization", .signature(.replayed))
    }

    private static func reach(_ request: PushRequest, _ state: MemoryStore.State) throws(Refusal) -> [MemoryLog.DeviceRecord] {
        var found: [MemoryLog.DeviceRecord]
        switch request.target {
        case .device(let token):
            guard let device = state.log.devices[token] else { throw Refusal(.noSuchDevice, field: "device_tokens") }
            found = [device]
        case .user(let user):
            found = state.log.devices.values.filter { $0.user == user }
            if found.isEmpty { throw Refusal(.userHasNoDevice, field: "user_id") }
        case .organisation(let organisation):
            guard let handle = state.log.handle(of: organisation) else { throw Refusal(.noSuchOrganisation, field: "org_id") }
            found = state.log.devices.values.filter { state.log.isBelow($0.organisation, handle) }
        }
        if request.testOnly {
            found = found.filter { $0.memberships.last?.membership.test ?? false }
            if found.isEmpty { throw Refusal(.noTestDevice) }
        }
        return found
    }

    /// Ends the task for every loop.
    public func cancel(_ task: TaskID, by app: AppKey, nonce: UsedNonce?) async throws(StoreError) -> TaskStatus {
        try await attempt { Self.cancel(task, of: app, nonce: nonce, &$0) }
    }

    /// The same for any app's.
    public func cancel(_ task: TaskID, by call: OperatorCall) async throws(StoreError) -> TaskStatus {
        try await audited(AuditEntry(call, .taskCancel, task: task)) { Self.cancel(task, of: nil, nonce: nil, &$0) }
    }

    private static func cancel(
        _ task: TaskID, of app: AppKey?, nonce: UsedNonce?, _ state: inout MemoryStore.State
    ) -> (Result<TaskStatus, StoreError>, [Entry]) {
        if let app {
            do throws(Refusal) { try use(nonce, of: app, &state) } catch { return (.failure(.refused(error)), []) }
        }
        guard let record = state.tasks[task], app == nil || record.request.app == app else {
            return (.failure(.refused(Refusal(.noSuchTask, field: "task_id"))), [])
        }
        let status = report(record, state).status
        guard status == .active else { return (.success(status), []) }
        state.tasks[task]?.isCancelled = true
        return (.success(.cancelled), [state.log.end(task)])
    }

    /// Counts by walking through everything.
    public func report(_ task: TaskID, to app: AppKey?, within scope: OrgID?) async throws(StoreError) -> TaskReport {
        try await attempt { state in
            guard let record = state.tasks[task], app == nil || record.request.app == app else {
                return (.failure(.refused(Refusal(.noSuchTask, field: "task_id"))), [])
            }
            return (.success(Self.report(record, state, isOfOperator: app == nil)), [])
        }
    }

    static func report(_ record: TaskRecord, _ state: MemoryStore.State, isOfOperator: Bool = false) -> TaskReport {
        var counts = Counts()
        counts.targeted = record.targeted.count
        counts.delivered = record.targeted.count { Self.isDelivered(record, $0, state) }
        counts.skippedOversize =
            record.tooLarge.count + record.targeted.count { state.log.skipped[$0]?.contains(record.row.position) ?? false }
        counts.rejected = record.targeted.count { state.log.rejected[$0]?[record.row.position] != nil }
        let rest = counts.targeted - counts.delivered - counts.skippedOversize - counts.rejected
        let isExpired = record.expireAt ?? .max <= state.behaviour.now
        let status: TaskStatus =
            if record.isCancelled {
                .cancelled
            } else if rest == 0, record.request.interface == .message {
                .completed
            } else { isExpired ? .expired : .active }
        switch status {
        case .cancelled: counts.cancelled = rest
        case .expired: counts.expired = rest
        default: counts.pending = rest
        }
        counts.opened = state.told.keys.count { $0.task == record.task && $0.event == .opened }
        counts.applied = state.told.keys.count { $0.task == record.task && $0.event == .applied }
        counts.failed = state.told.keys.count { $0.task == record.task && $0.event == .failed }
        let request = record.request
        return TaskReport(
            task: record.task, app: request.app, interface: request.interface, target: request.target,
            payload: request.payload.bytes,
            testOnly: request.testOnly, description: request.description, tag: request.tag, createdAt: record.createdAt,
            expireAt: record.expireAt, status: status, counts: counts,
            origin: isOfOperator ? record.call?.origin ?? request.origin : nil)
    }

    private static func isDelivered(_ record: TaskRecord, _ device: DeviceHandle, _ state: MemoryStore.State) -> Bool {
        let position = record.row.position
        return state.log.delivered[device]?.contains(position) ?? false
    }

    /// The devices of one list, by name.
    public func recipients(
        of task: TaskID, to app: AppKey?, within scope: OrgID?, state wanted: RecipientState, after: PageToken?, limit: Int
    ) async throws(StoreError) -> Page<Recipient> {
        try await attempt { state in
            guard let record = state.tasks[task], app == nil || record.request.app == app else {
                return (.failure(.refused(Refusal(.noSuchTask, field: "task_id"))), [])
            }
            let status = Self.report(record, state).status
            let found = record.targeted.compactMap { handle -> Recipient? in
                guard let device = state.log.device(handle), let detail = Self.detail(wanted, record, handle, status, state)
                else { return nil }
                return Recipient(device: device.token, detail: detail.isEmpty ? nil : detail)
            }
            return (.success(Self.page(found, by: \.device.text, after, limit)), [])
        }
    }

    /// What a device told, or nothing, where it is in that list; `nil` where it is not.
    static func detail(
        _ wanted: RecipientState, _ record: TaskRecord, _ device: DeviceHandle, _ status: TaskStatus, _ state: MemoryStore.State
    ) -> String? {
        if let event = ReceiptEvent(rawValue: wanted.rawValue) {
            return state.told[MemoryStore.Told(task: record.task, device: device, event: event)]
        }
        let position = record.row.position
        if let reasonCode = state.log.rejected[device]?[position] {
            return wanted == .rejected ? "0x" + String(reasonCode, radix: 16, uppercase: true) : nil
        }
        let rest: RecipientState =
            switch status {
            case .cancelled: .cancelled
            case .expired: .expired
            default: .pending
            }
        let actual: RecipientState =
            if Self.isDelivered(record, device, state) {
                .delivered
            } else if record.tooLarge.contains(device) || state.log.skipped[device]?.contains(position) ?? false {
                .skippedOversize
            } else { rest }
        return actual == wanted ? "" : nil
    }

    /// Newest first.
    public func tasks(_ filter: TaskFilter, after: PageToken?, limit: Int) async throws(StoreError) -> Page<TaskReport> {
        try await attempt { state in
            let found = state.tasks.values.filter { record in
                (filter.app == nil || record.request.app == filter.app)
                    && (filter.caller == nil || record.request.app == filter.caller)
                    && (filter.tag == nil || record.request.tag == filter.tag)
                    && (filter.outBizNo == nil || record.request.idempotency?.outBizNo == filter.outBizNo)
                    && (filter.organisation.map { record.request.target == .organisation($0) } ?? true)
                    && record.createdAt >= filter.from ?? .min && record.createdAt < filter.to ?? .max
            }
            let newestFirst = found.sorted { $0.row.position > $1.row.position }.map {
                Self.report($0, state, isOfOperator: filter.caller == nil)
            }
            let start = after.flatMap { Int($0.text) } ?? 0
            let items = newestFirst.dropFirst(start).prefix(limit)
            let next = start + limit < newestFirst.count ? PageToken("\(start + limit)") : nil
            return (.success(Page(items: Array(items), next: next)), [])
        }
    }

    /// Sums of the app's tasks with that tag.
    public func totals(
        app: AppKey, tag: ExactText, from: Int64?, to: Int64?
    ) async throws(StoreError) -> (tasks: Int, counts: Counts) {
        let found: Totals = try await attempt { state in
            var totals = Totals()
            for record in state.tasks.values where record.request.app == app && record.request.tag == tag {
                guard record.createdAt >= from ?? .min, record.createdAt < to ?? .max else { continue }
                totals.tasks += 1
                totals.counts += Self.report(record, state).counts
            }
            return (.success(totals), [])
        }
        return (found.tasks, found.counts)
    }

    private struct Totals: Sendable {
        var tasks = 0
        var counts = Counts()
    }

    /// Full while the store is made unavailable.
    public var health: Health { store.state.withLock { $0.behaviour.health } }

    /// A page of what is sorted by a name; the token is the last name of the page before.
    static func page<Item>(_ items: [Item], by name: KeyPath<Item, String>, _ after: PageToken?, _ limit: Int) -> Page<Item> {
        let rest = items.sorted { $0[keyPath: name] < $1[keyPath: name] }.filter {
            after == nil || $0[keyPath: name] > after?.text ?? ""
        }
        let next = rest.count > limit ? rest.prefix(limit).last.map { PageToken($0[keyPath: name]) } : nil
        return Page(items: Array(rest.prefix(limit)), next: next)
    }
}

extension OperatorCall {
    /// As a task keeps it.
    fileprivate var origin: PushRequest.Origin { PushRequest.Origin(client: client, requestID: requestID, operator: name) }
}
