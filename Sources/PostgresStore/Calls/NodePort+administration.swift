internal import Push
internal import StoreCore

// What operators do, and how it is recorded.

extension NodePort {
    func apply(_ change: OperatorChange, by call: OperatorCall) async throws(StoreError) -> ChangeResult {
        try await ask { node throws(StoreError) in try await node.apply(change, by: call) }
    }

    func append(_ request: PushRequest, by call: OperatorCall) async -> Accepted {
        do throws(StoreError) {
            return try await ask { node in await node.append(request, by: call) }
        } catch {
            return Accepted(error)
        }
    }

    func preview(_ request: PushRequest, by call: OperatorCall) async throws(StoreError) -> PushPreview {
        try await ask { node throws(StoreError) in try await node.preview(request, by: call) }
    }

    func disconnect(_ token: DeviceToken, by call: OperatorCall) async throws(StoreError) {
        try await ask { node throws(StoreError) in try await node.disconnect(token, by: call) }
    }

    func secretUsed(_ secret: String, by app: AppKey, on day: Int64) {
        node.enter { node in node.work { await $0.secretUsed(secret, by: app, on: day) } }
    }

    // MARK: The audit log

    func record(_ entry: AuditEntry) { node.enter { $0.record(entry) } }

    func count(_ refusals: [RefusalCount]) async throws(StoreError) {
        try await ask { node throws(StoreError) in try await node.count(refusals) }
    }

    func audit(
        _ filter: AuditFilter, after: PageToken?, limit: Int, by call: OperatorCall
    ) async throws(StoreError) -> Page<AuditRecord> {
        try await ask { node throws(StoreError) in try await node.audit(filter, after: after, limit: limit, by: call) }
    }

    func refusals(_ filter: RefusalFilter, after: PageToken?, limit: Int) async throws(StoreError) -> Page<RefusalCount> {
        try await ask { node throws(StoreError) in try await node.refusals(filter, after: after, limit: limit) }
    }
}
