internal import Base
internal import Push

/// Two ports as one: what may be asked of any node is asked of them in turn. So a test that knows of one port judges two nodes.
///
/// Devices and the feed are of the first: a session stays with its port. So are a task's counts, which another node may tell
/// later.
final class AlternatingPort: StorePort {
    private let first: any StorePort
    private let second: any StorePort
    private let turns = Locked(0)

    init(_ first: any StorePort, _ second: any StorePort) { (self.first, self.second) = (first, second) }

    private var next: any StorePort {
        turns.withLock { turns in
            turns += 1
            return turns % 2 == 0 ? first : second
        }
    }

    var health: Health { first.health }
    var clock: StoreClock { first.clock }
    var lease: Lease { first.lease }

    func subscribe(_ deliver: @escaping @Sendable (FeedEvent) -> Void) async throws(StoreError) -> DirectorySnapshot {
        try await first.subscribe(deliver)
    }

    // MARK: In turn

    func append(_ request: PushRequest, answer: @escaping @Sendable (Accepted) -> Void) { next.append(request, answer: answer) }

    func append(_ request: PushRequest, by call: OperatorCall) async -> Accepted { await next.append(request, by: call) }

    func preview(_ request: PushRequest, by call: OperatorCall) async throws(StoreError) -> PushPreview {
        try await next.preview(request, by: call)
    }

    func cancel(_ task: TaskID, by app: AppKey, nonce: UsedNonce?) async throws(StoreError) -> TaskStatus {
        try await next.cancel(task, by: app, nonce: nonce)
    }

    func cancel(_ task: TaskID, by call: OperatorCall) async throws(StoreError) -> TaskStatus {
        try await next.cancel(task, by: call)
    }

    func apply(_ change: DirectoryChange, by call: OperatorCall) async throws(StoreError) -> ChangeResult {
        try await next.apply(change, by: call)
    }

    func apply(_ change: OperatorChange, by call: OperatorCall) async throws(StoreError) -> ChangeResult {
        try await next.apply(change, by: call)
    }

    func secretUsed(_ secret: String, by app: AppKey, on day: Int64) { next.secretUsed(secret, by: app, on: day) }

    func app(_ key: AppKey) async throws(StoreError) -> App { try await next.app(key) }

    func organisation(_ id: OrgID, within scope: OrgID?) async throws(StoreError) -> Organisation {
        try await next.organisation(id, within: scope)
    }

    func device(_ token: DeviceToken, within scope: OrgID?) async throws(StoreError) -> Device {
        try await next.device(token, within: scope)
    }

    func backlog(of token: DeviceToken, patience: Duration) async throws(StoreError) -> Backlog {
        try await next.backlog(of: token, patience: patience)
    }

    func disconnect(_ token: DeviceToken, by call: OperatorCall) async throws(StoreError) {
        try await next.disconnect(token, by: call)
    }

    func apps(after: PageToken?, limit: Int) async throws(StoreError) -> Page<App> {
        try await next.apps(after: after, limit: limit)
    }

    func organisations(within scope: OrgID?, after: PageToken?, limit: Int) async throws(StoreError) -> Page<Organisation> {
        try await next.organisations(within: scope, after: after, limit: limit)
    }

    func devices(_ filter: DeviceFilter, after: PageToken?, limit: Int) async throws(StoreError) -> Page<Device> {
        try await next.devices(filter, after: after, limit: limit)
    }

    func keep(_ part: ImportPart, of id: ImportID) async throws(StoreError) { try await next.keep(part, of: id) }

    func run(
        _ id: ImportID, last part: ImportPart, patience: Duration, by call: OperatorCall
    ) async throws(StoreError) -> ImportReport {
        try await next.run(id, last: part, patience: patience, by: call)
    }

    func abandon(_ id: ImportID) { next.abandon(id) }

    func importReport(_ id: ImportID, by operator: OperatorNumber?) async throws(StoreError) -> ImportReport {
        try await next.importReport(id, by: `operator`)
    }

    func imports(
        by operator: OperatorNumber?, after: PageToken?, limit: Int
    ) async throws(StoreError) -> Page<ImportReport> {
        try await next.imports(by: `operator`, after: after, limit: limit)
    }

    var sharedWallClock: (@Sendable () -> Int64)? { first.sharedWallClock }

    func clockState() async throws(StoreError) -> ClockState { try await next.clockState() }

    func acceptWallClock(by call: OperatorCall) async throws(StoreError) -> ClockState {
        try await next.acceptWallClock(by: call)
    }

    func audit(
        _ filter: AuditFilter, after: PageToken?, limit: Int, by call: OperatorCall
    ) async throws(StoreError) -> Page<AuditRecord> {
        try await next.audit(filter, after: after, limit: limit, by: call)
    }

    func refusals(_ filter: RefusalFilter, after: PageToken?, limit: Int) async throws(StoreError) -> Page<RefusalCount> {
        try await next.refusals(filter, after: after, limit: limit)
    }

    // MARK: Of the first

    func record(_ entry: AuditEntry) { first.record(entry) }

    func count(_ refusals: [RefusalCount]) async throws(StoreError) { try await first.count(refusals) }

    func report(_ task: TaskID, to app: AppKey?, within scope: OrgID?) async throws(StoreError) -> TaskReport {
        try await first.report(task, to: app, within: scope)
    }

    func recipients(
        of task: TaskID, to app: AppKey?, within scope: OrgID?, state: RecipientState, after: PageToken?, limit: Int
    ) async throws(StoreError) -> Page<Recipient> {
        try await first.recipients(of: task, to: app, within: scope, state: state, after: after, limit: limit)
    }

    func explain(
        _ task: TaskID, to device: DeviceToken, within scope: OrgID?, patience: Duration
    ) async throws(StoreError) -> Explanation {
        try await first.explain(task, to: device, within: scope, patience: patience)
    }

    func tasks(_ filter: TaskFilter, after: PageToken?, limit: Int) async throws(StoreError) -> Page<TaskReport> {
        try await first.tasks(filter, after: after, limit: limit)
    }

    func totals(
        app: AppKey, tag: ExactText, from: Int64?, to: Int64?
    ) async throws(StoreError) -> (tasks: Int, counts: Counts) {
        try await first.totals(app: app, tag: tag, from: from, to: to)
    }

    func attach(
        _ token: DeviceToken, secret: [UInt8], certificate: CertificateFingerprint?, session: SessionID
    ) async throws(AttachError) -> Attached {
        try await first.attach(token, secret: secret, certificate: certificate, session: session)
    }

    func detach(_ device: DeviceHandle, session: SessionID, settledUpTo: Position) {
        first.detach(device, session: session, settledUpTo: settledUpTo)
    }

    func settle(_ deliveries: [Delivery]) -> Bool { first.settle(deliveries) }

    func tell(_ unacknowledged: Unacknowledged, of session: SessionID) { first.tell(unacknowledged, of: session) }

    func pending(for device: DeviceHandle, after: Position, limit: Int) async throws(StoreError) -> Pending {
        try await first.pending(for: device, after: after, limit: limit)
    }

    func commit(_ receipts: [Receipt]) async throws(StoreError) -> [ReceiptResult] { try await first.commit(receipts) }
}
