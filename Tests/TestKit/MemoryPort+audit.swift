public import Push

/// An entry, and who may see it.
struct AuditedEntry: Sendable {
    let record: AuditRecord
    /// To what the caller was confined.
    let scope: OrgID?
    /// In which organisations its target was.
    var organisations: Set<OrgID>
}

extension MemoryPort {
    /// Appends it.
    public func record(_ entry: AuditEntry) {
        store.state.withLock { Self.write(entry, before: Self.organisations(of: entry, $0), &$0) }
    }

    /// Does what an operator asks for and appends its entry, whether it is a change or a refusal.
    func audited<Value: Sendable>(
        _ entry: AuditEntry, _ body: @Sendable (inout MemoryStore.State) -> (Result<Value, StoreError>, [Entry])
    ) async throws(StoreError) -> Value {
        try await attempt { state in
            let before = Self.organisations(of: entry, state)
            let (result, entries) = body(&state)
            var entry = entry
            if case .failure(.refused(let refusal)) = result {
                entry.code = refusal.code.rawValue
                guard state.refused.admit(entry, at: state.behaviour.now / 60_000) else { return (result, entries) }
            }
            Self.write(entry, before: before, &state)
            return (result, entries)
        }
    }

    private static func write(_ entry: AuditEntry, before: Set<OrgID>, _ state: inout MemoryStore.State) {
        let kept = AuditEntry(
            entry.caller, scope: nil, client: entry.client, requestID: entry.requestID, entry.action, entry.target,
            task: entry.task, code: entry.code)
        state.audit.append(
            AuditedEntry(
                record: AuditRecord(number: Int64(state.audit.count + 1), time: state.behaviour.now, entry: kept),
                scope: entry.scope, organisations: before.union(organisations(of: entry, state))))
    }

    /// The organisation of the target and all above it.
    static func organisations(of entry: AuditEntry, _ state: MemoryStore.State) -> Set<OrgID> {
        var id: OrgID?
        switch entry.target?.kind {
        case .organisation: id = entry.target.map { OrgID(unchecked: $0.id) }
        case .device: id = entry.target.flatMap { state.log.devices[DeviceToken(unchecked: $0.id)]?.device.organisation }
        case nil:
            switch entry.task.flatMap({ state.tasks[TaskID($0)] })?.request.target {
            case .organisation(let organisation)?: id = organisation
            case .device(let token)?: id = state.log.devices[token]?.device.organisation
            case .user?, nil: break
            }
        default: break
        }
        var found: Set<OrgID> = []
        while let next = id, let organisation = state.log.organisation(next) {
            found.insert(next)
            id = organisation.parent
        }
        return found
    }

    /// Adds them up.
    public func count(_ refusals: [RefusalCount]) async throws(StoreError) {
        try await attempt { state -> (Result<Void, StoreError>, [Entry]) in
            for count in refusals {
                let count = RefusalCount(count.key, minute: count.minute * 60_000, count: count.count)
                if let known = state.refusals.firstIndex(where: { $0.key == count.key && $0.minute == count.minute }) {
                    state.refusals[known].count += count.count
                } else if state.refusals.count(where: {
                    $0.minute == count.minute && $0.key.listener == count.key.listener
                }) < RefusalBook.mostKeys {
                    state.refusals.append(count)
                } else {
                    let key = RefusalCount.Key(othersOf: count.key.listener)
                    if let others = state.refusals.firstIndex(where: { $0.key == key && $0.minute == count.minute }) {
                        state.refusals[others].count += count.count
                    } else {
                        state.refusals.append(RefusalCount(key, minute: count.minute, count: count.count))
                    }
                }
            }
            return (.success(()), [])
        }
    }

    /// Newest first.
    public func audit(
        _ filter: AuditFilter, after: PageToken?, limit: Int, by call: OperatorCall
    ) async throws(StoreError) -> Page<AuditRecord> {
        try await attempt { state in
            let found = state.audit.reversed().filter { entry in
                guard Self.matches(entry.record, filter) else { return false }
                guard let scope = call.scope else { return true }
                let isOwn = entry.record.entry.caller.identity?.number == call.number && entry.scope == scope
                return isOwn || entry.organisations.contains(scope)
            }.map(\.record)
            return (.success(Self.part(found, after, limit)), [])
        }
    }

    private static func matches(_ record: AuditRecord, _ filter: AuditFilter) -> Bool {
        let entry = record.entry
        return (filter.caller == nil || entry.caller.kind == filter.caller)
            && (filter.name == nil || entry.caller.name == filter.name)
            && (filter.client == nil || entry.client == filter.client)
            && (filter.node == nil || record.node == filter.node)
            && (filter.action == nil || entry.action == filter.action)
            && (filter.target == nil || entry.target?.id == filter.target)
            && (filter.task == nil || entry.task == filter.task) && (filter.code == nil || entry.code == filter.code)
            && record.time >= filter.from ?? .min && record.time < filter.to ?? .max
    }

    /// Newest first.
    public func refusals(
        _ filter: RefusalFilter, after: PageToken?, limit: Int
    ) async throws(StoreError) -> Page<RefusalCount> {
        try await attempt { state in
            let found = state.refusals.filter { filter.matches($0) }.sorted { $0.minute > $1.minute }
            return (.success(Self.part(found, after, limit)), [])
        }
    }

    private static func part<Item>(_ all: [Item], _ after: PageToken?, _ limit: Int) -> Page<Item> {
        let start = after.flatMap { Int($0.text) } ?? 0
        let next = start + limit < all.count ? PageToken("\(start + limit)") : nil
        return Page(items: Array(all.dropFirst(start).prefix(limit)), next: next)
    }
}
