internal import Base
internal import Push
internal import StoreCore

// What the shared store does not do yet: it refuses. Nothing of it is left before a program opens the store.

// MARK: What is read

extension NodePort {
    func recipients(
        of task: TaskID, to app: AppKey?, within scope: OrgID?, state: RecipientState, after: PageToken?, limit: Int
    ) async throws(StoreError) -> Page<Recipient> { throw missing }

    func explain(
        _ task: TaskID, to device: DeviceToken, within scope: OrgID?, patience: Duration
    ) async throws(StoreError) -> Explanation { throw missing }

    func tasks(_ filter: TaskFilter, after: PageToken?, limit: Int) async throws(StoreError) -> Page<TaskReport> { throw missing }

    func totals(
        app: AppKey, tag: ExactText, from: Int64?, to: Int64?
    ) async throws(StoreError) -> (tasks: Int, counts: Counts) { throw missing }

    func app(_ key: AppKey) async throws(StoreError) -> App { throw missing }
    func organisation(_ id: OrgID, within scope: OrgID?) async throws(StoreError) -> Organisation { throw missing }
    func device(_ token: DeviceToken, within scope: OrgID?) async throws(StoreError) -> Device { throw missing }
    func backlog(of token: DeviceToken, patience: Duration) async throws(StoreError) -> Backlog { throw missing }
    func disconnect(_ token: DeviceToken, by call: OperatorCall) async throws(StoreError) { throw missing }
    func apps(after: PageToken?, limit: Int) async throws(StoreError) -> Page<App> { throw missing }

    func organisations(
        within scope: OrgID?, after: PageToken?, limit: Int
    ) async throws(StoreError) -> Page<Organisation> { throw missing }

    func devices(_ filter: DeviceFilter, after: PageToken?, limit: Int) async throws(StoreError) -> Page<Device> { throw missing }
    func tell(_ unacknowledged: Unacknowledged, of session: SessionID) {}
}

// MARK: Administration

extension NodePort {
    func append(_ request: PushRequest, by call: OperatorCall) async -> Accepted { .unavailable(retryAfter: retryAfter) }
    func preview(_ request: PushRequest, by call: OperatorCall) async throws(StoreError) -> PushPreview { throw missing }
    func secretUsed(_ secret: String, by app: AppKey, on day: Int64) {}
    func keep(_ part: ImportPart, of id: ImportID) async throws(StoreError) { throw missing }

    func run(
        _ id: ImportID, last part: ImportPart, patience: Duration, by call: OperatorCall
    ) async throws(StoreError) -> ImportReport { throw missing }

    func abandon(_ id: ImportID) {}

    func importReport(_ id: ImportID, by operator: OperatorNumber?) async throws(StoreError) -> ImportReport { throw missing }

    func imports(
        by operator: OperatorNumber?, after: PageToken?, limit: Int
    ) async throws(StoreError) -> Page<ImportReport> { throw missing }

    func apply(_ change: OperatorChange, by call: OperatorCall) async throws(StoreError) -> ChangeResult { throw missing }
    func record(_ entry: AuditEntry) {}
    func count(_ refusals: [RefusalCount]) async throws(StoreError) { throw missing }

    func audit(
        _ filter: AuditFilter, after: PageToken?, limit: Int, by call: OperatorCall
    ) async throws(StoreError) -> Page<AuditRecord> { throw missing }

    func refusals(_ filter: RefusalFilter, after: PageToken?, limit: Int) async throws(StoreError) -> Page<RefusalCount> {
        throw missing
    }
}

extension NodePort {
    private var missing: StoreError { .unavailable(retryAfter: retryAfter) }
}
