internal import Base
internal import Push
internal import StoreCore

// What the shared store does not do yet: it refuses. Nothing of it is left before a program opens the store.

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
