internal import Push
internal import StoreCore

/// Takes a push: every check that depends on the directory, the clock or earlier pushes, in the interface's order, then
/// the row.
final class PushDecider {
    private let messages: MessageTable
    private let indexes: IndexTable
    private let time: Timekeeper
    private let log: MessageLog
    private let directory: DirectoryMemory
    private let receipts: ReceiptBook
    private let feed: Feed
    private let configurations: ConfigurationDecider
    private let tasks: TaskNumber
    private let nonces: NonceBook
    private let quotas: QuotaBook
    private let targets: TargetResolver
    private let scopes: ScopeDecider
    private let sessions: SessionRegistry

    init(
        _ tables: Tables, _ time: Timekeeper, _ log: MessageLog, _ directory: DirectoryMemory, _ receipts: ReceiptBook,
        _ feed: Feed,
        _ configurations: ConfigurationDecider, _ tasks: TaskNumber, _ nonces: NonceBook, _ quotas: QuotaBook,
        _ scopes: ScopeDecider, _ sessions: SessionRegistry
    ) {
        messages = tables.messages
        indexes = tables.indexes
        self.time = time
        self.log = log
        self.directory = directory
        self.receipts = receipts
        self.feed = feed
        self.configurations = configurations
        self.tasks = tasks
        self.nonces = nonces
        self.quotas = quotas
        self.scopes = scopes
        self.sessions = sessions
        targets = TargetResolver(tables, directory)
    }

    /// A push by the app itself.
    /// - Parameter now: store time.
    func append(_ request: PushRequest, at now: Int64) throws(SQLiteError) -> Accepted {
        Accepted(
            try decided { () throws -> Accepted in
                switch try judge(request, within: nil, at: now) {
                case .repeated(let first): return .repeated(first)
                case .new(let judged): return .stored(try store(request, judged, within: nil, at: now))
                }
            })
    }

    /// The same by an operator, on behalf of the app.
    func append(_ request: PushRequest, by call: OperatorCall, at now: Int64) throws(SQLiteError) -> Accepted {
        Accepted(
            try decided { () throws -> Accepted in
                let scope = try scopes.permitPushing(for: request.app, to: call.number)
                switch try judge(request, within: scope, at: now) {
                case .repeated(let first): return .repeated(first)
                case .new(let judged):
                    let task = try store(request, judged, within: scope, at: now)
                    // Apart from the row, so that callers' pushes pay nothing for it.
                    if let seq = tasks.position(of: task) { try messages.setOrigin(of: seq, call) }
                    return .stored(task)
                }
            })
    }

    /// What that would do. Changes nothing.
    func preview(
        _ request: PushRequest, by call: OperatorCall, at now: Int64
    ) throws(SQLiteError) -> Result<PushPreview, Refusal> {
        try decided { () throws -> PushPreview in
            let scope = try scopes.permitPushing(for: request.app, to: call.number)
            switch try judge(request, within: scope, isTaken: false, at: now) {
            case .repeated(let first): return .repeated(first)
            case .new(let judged):
                var skipped = 0
                if case .withoutIOS(let leftOut) = judged.reach { skipped = leftOut }
                return .accepted(
                    PushPreview.Addressed(
                        android: judged.target.android, ios: judged.target.ios, skippedOversize: skipped,
                        online: try targets.online(judged.target, of: request, withoutIOS: skipped > 0, by: sessions),
                        expireAt: judged.expires.map { $0 + time.offset }))
            }
        }
    }

    // MARK: Every check

    /// A push that nothing speaks against.
    private struct Judged {
        let record: AppTable.Record
        let expires: Int64?
        let quota: PushQuota?
        let target: TargetResolver.Found
        let reach: Payload.Reach
    }

    private enum Judgement {
        /// The first answer to its `out_biz_no`.
        case repeated(TaskID)
        case new(Judged)
    }

    /// - Parameters:
    ///   - scope: to which the operator is confined who pushes on behalf of the app.
    ///   - isTaken: whether it is more than a question: what it uses up is used up.
    private func judge(
        _ request: PushRequest, within scope: OrgID?, isTaken: Bool = true, at now: Int64
    ) throws -> Judgement {
        guard let record = directory.apps[request.app] else { throw Refusal(.unknownAppKey, field: "appkey") }
        if record.app.disabled { throw Refusal(.appDisabled, field: "appkey") }
        guard record.app.interfaces.contains(request.interface) else { throw Refusal(.interfaceNotAllowed, field: "appkey") }
        if let nonce = request.nonce { try nonces.take(nonce, of: request.app, at: now, wall: now + time.wallOffset) }
        if let idempotency = request.idempotency,
            let first = try firstAnswer(to: idempotency, of: record.number, within: scope, at: now)
        {
            return .repeated(first)
        }
        let expires = try Expiry.resolve(request.expireTime, of: request.interface, now: now, offset: time.wallOffset)
        let quota = quotas.quota(of: record.app)
        if let quota { try quotas.take(record.number, quota, at: now, wall: now + time.wallOffset, isTaken: isTaken) }
        if let scope { try scopes.requireInside(request.target, scope, at: log.head + 1) }
        let target = try targets.resolve(request, for: record.app)
        if request.testOnly && target.devices == 0 { throw Refusal(.noTestDevice) }
        let reach = try request.payload.reach(android: target.android, ios: target.ios)
        return .new(Judged(record: record, expires: expires, quota: quota, target: target, reach: reach))
    }

    // MARK: out_biz_no

    /// How long a repeat is recognised, in milliseconds.
    private static let idempotencyLifetime: Int64 = 24 * 3_600_000

    /// The task that this `out_biz_no` made within the last 24 hours, if it made one.
    /// - Throws: 2109 if it was used for something else, or for a task that is outside of the scope.
    private func firstAnswer(
        to idempotency: PushRequest.Idempotency, of app: Int64, within scope: OrgID?, at now: Int64
    ) throws -> TaskID? {
        let hash = StableHash.of(idempotency.outBizNo.text)
        var positions = try indexes.positions(ofApp: app, bizHash: hash)
        for generation in log.tail.view.generations { positions += generation.positions(ofApp: app, bizHash: hash) }
        for position in positions.reversed() {
            guard let origin = try messages.origin(of: position, named: idempotency.outBizNo) else { continue }
            if origin.created <= now - Self.idempotencyLifetime { return nil }
            if origin.fingerprint == idempotency.fingerprint, try scope.map({ try isInside(position, $0) }) ?? true {
                return tasks.id(of: position)
            }
            throw Refusal(.outBizNoReused, field: "policy.out_biz_no")
        }
        return nil
    }

    private func isInside(_ position: UInt64, _ scope: OrgID) throws(SQLiteError) -> Bool {
        guard let row = try messages.row(position) else { return false }
        return try scopes.isInside(row, scope)
    }

    // MARK: The row

    private func store(
        _ request: PushRequest, _ judged: Judged, within operatorScope: OrgID?, at now: Int64
    ) throws(SQLiteError) -> TaskID {
        let (record, target) = (judged.record, judged.target)
        let isConfiguration = request.interface == .configuration
        var flags = request.testOnly ? StoredRow.testOnly : 0
        var skipped = 0
        if case .withoutIOS(let leftOut) = judged.reach {
            flags |= StoredRow.withoutIOS
            skipped = leftOut
        }
        let slot = isConfiguration ? target.slot(of: record.number, request) : nil
        // The older one's end takes a position before the new one's: the feed tells both in the log's order.
        if let slot { try configurations.supersede(slot, at: now) }
        var row = StoredRow(
            kind: isConfiguration ? .configuration : .message, app: record.number, target: target.key, flags: flags,
            within: bound(of: record.app, operatorScope, for: request), created: now, expires: judged.expires,
            offset: time.offset,
            payload: request.payload.bytes,
            body: request.payload.body, display: request.payload.displayType, tag: request.tag,
            version: isConfiguration ? try log.takeConfigurationVersion() : nil, targeted: target.devices, skipped: skipped,
            description: request.description)
        try log.append(&row, of: request)
        let task = tasks.id(of: row.seq)
        let listeners = feed.listeners(to: row.target)
        if case .none = listeners {} else { receipts.insert(row) }
        if let slot { try configurations.makeCurrent(row, in: slot) }
        if !isConfiguration && target.devices == skipped, let receipts = try receipts.receipts(at: row.seq) {
            // Nobody waits for it.
            self.receipts.complete(receipts, at: now)
        }
        feed.row(row, as: task, of: record.app.key, at: row.seq, to: row.target, listeners)
        if let quota = judged.quota { try quotas.stored(record.number, quota, wall: now + time.wallOffset) }
        return task
    }

    /// What bounds who receives it: a user's devices that lie inside, and whoever joins a configuration's target later.
    /// Any other target lies inside as a whole.
    private func bound(of app: App, _ operatorScope: OrgID?, for request: PushRequest) -> UInt32? {
        switch (request.interface, request.target) {
        case (.configuration, _), (.message, .user): directory.tree.common(app.scope, operatorScope)
        case (.message, _): nil
        }
    }
}

extension Accepted {
    /// What a decision says.
    fileprivate init(_ decision: Result<Accepted, Refusal>) {
        switch decision {
        case .success(let accepted): self = accepted
        case .failure(let refusal): self = .refused(refusal)
        }
    }
}
