import Base
import Push
import Libevent
import PushAPI

/// A store that answers as a test tells it, and remembers what it was asked.
final class FakeStore: StorePort {
    /// What each call answers.
    struct Script: Sendable {
        /// Called where the front asks, before anything is answered.
        var onAppend: @Sendable () -> Void = {}
        var append: @Sendable (PushRequest) async -> Accepted = { _ in .stored(TaskID("t-1")) }
        var cancel: @Sendable (TaskID, AppKey?) async throws(StoreError) -> TaskStatus = { _, _ throws(StoreError) in
            .cancelled
        }
        var disconnect: @Sendable (DeviceToken) async throws(StoreError) -> Void = { _ throws(StoreError) in }
        var report: @Sendable (TaskID, AppKey?) async throws(StoreError) -> TaskReport = { _, _ throws(StoreError) in
            throw .refused(Refusal(.noSuchTask))
        }
        var explain: @Sendable (TaskID, DeviceToken) async throws(StoreError) -> Explanation = { _, _ throws(StoreError) in
            throw .refused(Refusal(.noSuchTask, field: "task_id"))
        }
        var recipients: @Sendable (RecipientQuery) async throws(StoreError) -> Page<Recipient> = { _ throws(StoreError) in
            Page(items: [], next: nil)
        }
        var tasks: @Sendable (TaskFilter, PageToken?, Int) async throws(StoreError) -> Page<TaskReport> = {
            _, _, _ throws(StoreError) in
            Page(items: [], next: nil)
        }
        var totals: @Sendable (AppKey, ExactText, Int64?, Int64?) async throws(StoreError) -> (tasks: Int, counts: Counts) = {
            _, _, _, _ throws(StoreError) in (tasks: 0, counts: Counts())
        }
        var health = Health.serving
        var status = ServerStatus(
            node: NodeName(host: "psp-1"), startedAt: noon, uptime: 0, loops: [LoopStatus()], rates: TrafficRates(),
            store: StoreStatus(health: .serving, waiting: 0, longestWait: 0), holdTimes: HoldTimes(), storage: nil, clock: nil,
            imports: nil)
        var clock = ClockState(storeTime: noon, wallClock: noon, isSynchronised: true, steps: 0, ahead: nil)
        var audit = Page<AuditRecord>(items: [], next: nil)
        var refusals = Page<RefusalCount>(items: [], next: nil)
        var change: @Sendable (DirectoryChange) async throws(StoreError) -> ChangeResult = { _ throws(StoreError) in .updated }
        var changeOperator: @Sendable (OperatorChange) async throws(StoreError) -> ChangeResult = { _ throws(StoreError) in
            .updated
        }
        var keep: @Sendable (ImportPart) async throws(StoreError) -> Void = { _ throws(StoreError) in }
        /// Told all that was kept.
        var run: @Sendable ([ImportPart]) async throws(StoreError) -> ImportReport = { parts throws(StoreError) in
            .ended(parts) { _ in .success(.updated) }
        }
        var importReport: @Sendable (ImportID) async throws(StoreError) -> ImportReport = { _ throws(StoreError) in
            throw .refused(Refusal(.noSuchTask, field: "import_id"))
        }
        var imports: @Sendable (PageToken?, Int) async throws(StoreError) -> Page<ImportReport> = { _, _ throws(StoreError) in
            Page(items: [], next: nil)
        }
        var app: @Sendable (AppKey) async throws(StoreError) -> App = { _ throws(StoreError) in
            throw .refused(Refusal(.noSuchApp))
        }
        var organisation: @Sendable (OrgID) async throws(StoreError) -> Organisation = { _ throws(StoreError) in
            throw .refused(Refusal(.noSuchOrganisation))
        }
        var device: @Sendable (DeviceToken) async throws(StoreError) -> Device = { _ throws(StoreError) in
            throw .refused(Refusal(.noSuchDevice))
        }
        var backlog: @Sendable (DeviceToken) async throws(StoreError) -> Backlog = { _ throws(StoreError) in
            Backlog(pending: 0, isMore: false, unacknowledged: Unacknowledged.none, now: noon)
        }
        var preview: @Sendable (PushRequest) async throws(StoreError) -> PushPreview = { _ throws(StoreError) in
            throw .refused(Refusal(.noSuchApp, field: "appkey"))
        }
        var apps: @Sendable (PageToken?, Int) async throws(StoreError) -> Page<App> = { _, _ throws(StoreError) in
            Page(items: [], next: nil)
        }
        var organisations: @Sendable (PageToken?, Int) async throws(StoreError) -> Page<Organisation> = {
            _, _ throws(StoreError) in
            Page(items: [], next: nil)
        }
        var devices: @Sendable (DeviceFilter, PageToken?, Int) async throws(StoreError) -> Page<Device> = {
            _, _, _ throws(StoreError) in
            Page(items: [], next: nil)
        }
    }

    struct RecipientQuery: Hashable, Sendable {
        var task: TaskID
        var app: AppKey?
        var state: RecipientState
        var after: PageToken?
        var limit: Int
    }

    /// What was asked, in order.
    struct Asked: Sendable {
        var pushes: [PushRequest] = []
        var cancelled: [TaskID] = []
        var nonces: [String?] = []
        var secretsUsed: [String] = []
        var disconnected: [DeviceToken] = []
        var clocksAccepted = 0
        /// On whose behalf operators' changes were made.
        var calls: [OperatorCall] = []
        var entries: [AuditEntry] = []
        var refusals: [RefusalCount] = []
        var auditFilters: [AuditFilter] = []
        var refusalFilters: [RefusalFilter] = []
        /// Within what operators looked, and at whose imports.
        var scopes: [OrgID?] = []
        var beginners: [OperatorNumber?] = []
        var operatorChanges: [OperatorChange] = []
        var changes: [DirectoryChange] = []
        var parts: [ImportPart] = []
        var abandoned: [ImportID] = []
        var apps: [AppKey] = []
    }

    private let script: Locked<Script>
    private let memory = Locked(Asked())

    init(_ script: Script = Script()) { self.script = Locked(script) }

    var asked: Asked { memory.withLock { $0 } }

    var now: Script { script.withLock { $0 } }

    /// Changes what later calls answer.
    func rewrite(_ change: @Sendable (inout Script) -> Void) { script.withLock { change(&$0) } }

    private func note(_ fact: @Sendable (inout Asked) -> Void) { memory.withLock { fact(&$0) } }
}

extension FakeStore {
    func append(_ request: PushRequest, answer: @escaping @Sendable (Accepted) -> Void) {
        note { $0.pushes.append(request) }
        now.onAppend()
        let decide = now.append
        // Answers on the loop that asked, as a store does.
        Task.immediate(executorPreference: EventLoop.current) { answer(await decide(request)) }
    }

    func append(_ request: PushRequest, by call: OperatorCall) async -> Accepted {
        note {
            $0.pushes.append(request)
            $0.calls.append(call)
        }
        return await now.append(request)
    }

    func preview(_ request: PushRequest, by call: OperatorCall) async throws(StoreError) -> PushPreview {
        note { $0.calls.append(call) }
        return try await now.preview(request)
    }

    func secretUsed(_ secret: String, by app: AppKey, on day: Int64) { note { $0.secretsUsed.append(secret) } }

    func cancel(_ task: TaskID, by app: AppKey, nonce: UsedNonce?) async throws(StoreError) -> TaskStatus {
        note {
            $0.cancelled.append(task)
            $0.nonces.append(nonce?.nonce.text)
        }
        return try await now.cancel(task, app)
    }

    func cancel(_ task: TaskID, by call: OperatorCall) async throws(StoreError) -> TaskStatus {
        note {
            $0.cancelled.append(task)
            $0.calls.append(call)
        }
        return try await now.cancel(task, nil)
    }

    func report(_ task: TaskID, to app: AppKey?, within scope: OrgID?) async throws(StoreError) -> TaskReport {
        note { $0.scopes.append(scope) }
        return try await now.report(task, app)
    }

    func explain(
        _ task: TaskID, to device: DeviceToken, within scope: OrgID?, patience: Duration
    ) async throws(StoreError) -> Explanation {
        note { $0.scopes.append(scope) }
        return try await now.explain(task, device)
    }

    func recipients(
        of task: TaskID, to app: AppKey?, within scope: OrgID?, state: RecipientState, after: PageToken?, limit: Int
    ) async throws(StoreError) -> Page<Recipient> {
        note { $0.scopes.append(scope) }
        return try await now.recipients(RecipientQuery(task: task, app: app, state: state, after: after, limit: limit))
    }

    func tasks(_ filter: TaskFilter, after: PageToken?, limit: Int) async throws(StoreError) -> Page<TaskReport> {
        note { $0.scopes.append(filter.scope) }
        return try await now.tasks(filter, after, limit)
    }

    func totals(app: AppKey, tag: ExactText, from: Int64?, to: Int64?) async throws(StoreError) -> (tasks: Int, counts: Counts) {
        try await now.totals(app, tag, from, to)
    }

    var health: Health { now.health }
}

extension FakeStore {
    func apply(_ change: DirectoryChange, by call: OperatorCall) async throws(StoreError) -> ChangeResult {
        note {
            $0.changes.append(change)
            $0.calls.append(call)
        }
        return try await now.change(change)
    }

    func apply(_ change: OperatorChange, by call: OperatorCall) async throws(StoreError) -> ChangeResult {
        note {
            $0.operatorChanges.append(change)
            $0.calls.append(call)
        }
        return try await now.changeOperator(change)
    }

    func app(_ key: AppKey) async throws(StoreError) -> App {
        note { $0.apps.append(key) }
        return try await now.app(key)
    }

    func organisation(_ id: OrgID, within scope: OrgID?) async throws(StoreError) -> Organisation {
        note { $0.scopes.append(scope) }
        return try await now.organisation(id)
    }

    func device(_ token: DeviceToken, within scope: OrgID?) async throws(StoreError) -> Device {
        note { $0.scopes.append(scope) }
        return try await now.device(token)
    }

    func backlog(of token: DeviceToken, patience: Duration) async throws(StoreError) -> Backlog { try await now.backlog(token) }
    func disconnect(_ token: DeviceToken, by call: OperatorCall) async throws(StoreError) {
        note {
            $0.disconnected.append(token)
            $0.calls.append(call)
        }
        try await now.disconnect(token)
    }

    func apps(after: PageToken?, limit: Int) async throws(StoreError) -> Page<App> { try await now.apps(after, limit) }

    func organisations(within scope: OrgID?, after: PageToken?, limit: Int) async throws(StoreError) -> Page<Organisation> {
        note { $0.scopes.append(scope) }
        return try await now.organisations(after, limit)
    }

    func devices(_ filter: DeviceFilter, after: PageToken?, limit: Int) async throws(StoreError) -> Page<Device> {
        note { $0.scopes.append(filter.scope) }
        return try await now.devices(filter, after, limit)
    }
}

extension FakeStore {
    func keep(_ part: ImportPart, of id: ImportID) async throws(StoreError) {
        note { $0.parts.append(part) }
        try await now.keep(part)
    }

    func run(
        _ id: ImportID, last part: ImportPart, patience: Duration, by call: OperatorCall
    ) async throws(StoreError) -> ImportReport {
        note {
            $0.parts.append(part)
            $0.calls.append(call)
        }
        return try await now.run(asked.parts)
    }

    func abandon(_ id: ImportID) { note { $0.abandoned.append(id) } }

    func importReport(_ id: ImportID, by operator: OperatorNumber?) async throws(StoreError) -> ImportReport {
        note { $0.beginners.append(`operator`) }
        return try await now.importReport(id)
    }

    func imports(
        by operator: OperatorNumber?, after: PageToken?, limit: Int
    ) async throws(StoreError) -> Page<ImportReport> {
        note { $0.beginners.append(`operator`) }
        return try await now.imports(after, limit)
    }
}

extension ImportReport {
    /// What a store tells that has applied every line, of each as a test says.
    static func ended(
        _ parts: [ImportPart], _ apply: (DirectoryChange) -> Result<ChangeResult, Refusal>
    ) -> ImportReport {
        var tally = ImportTally()
        var failures: [LineFailure] = []
        for part in parts {
            var lines = ImportLines(part)
            while let line = lines.next() {
                let result = line.change.flatMap(apply)
                tally.count(result)
                if case .failure(let refusal) = result, failures.count < toldFailures {
                    failures.append(LineFailure(line: line.number, refusal))
                }
            }
        }
        return ImportReport(
            id: ImportID("i"), state: .done, lines: tally.done, tally: tally, startedAt: noon, endedAt: noon, timeLeft: nil,
            failures: failures)
    }
}

extension FakeStore {
    func clockState() async throws(StoreError) -> ClockState { now.clock }

    func acceptWallClock(by call: OperatorCall) async throws(StoreError) -> ClockState {
        note {
            $0.clocksAccepted += 1
            $0.calls.append(call)
        }
        return now.clock
    }
}

/// The gateway's half is not the REST interface's business.
extension FakeStore {
    var clock: StoreClock { StoreClock(base: 0) { 0 } }
    var lease: Lease { .unlimited }

    func attach(
        _ token: DeviceToken, secret: [UInt8], certificate: CertificateFingerprint?, session: SessionID
    ) async throws(AttachError) -> Attached {
        throw .unavailable
    }

    func detach(_ device: DeviceHandle, session: SessionID, settledUpTo: Position) {}
    func settle(_ deliveries: [Delivery]) -> Bool { true }
    func tell(_ unacknowledged: Unacknowledged, of session: SessionID) {}

    func pending(for device: DeviceHandle, after: Position, limit: Int) async throws(StoreError) -> Pending {
        throw .unavailable(retryAfter: .seconds(1))
    }

    func commit(_ receipts: [Receipt]) async throws(StoreError) -> [ReceiptResult] { throw .unavailable(retryAfter: .seconds(1)) }

    func subscribe(_ deliver: @escaping @Sendable (FeedEvent) -> Void) async throws(StoreError) -> DirectorySnapshot {
        throw .unavailable(retryAfter: .seconds(1))
    }

    // MARK: The audit log

    func record(_ entry: AuditEntry) { note { $0.entries.append(entry) } }

    func count(_ refusals: [RefusalCount]) async throws(StoreError) { note { $0.refusals += refusals } }

    func audit(
        _ filter: AuditFilter, after: PageToken?, limit: Int, by call: OperatorCall
    ) async throws(StoreError) -> Page<AuditRecord> {
        note { $0.auditFilters.append(filter) }
        return now.audit
    }

    func refusals(_ filter: RefusalFilter, after: PageToken?, limit: Int) async throws(StoreError) -> Page<RefusalCount> {
        note { $0.refusalFilters.append(filter) }
        return now.refusals
    }
}
