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

    init(
        _ tables: Tables, _ time: Timekeeper, _ log: MessageLog, _ directory: DirectoryMemory, _ receipts: ReceiptBook,
        _ feed: Feed,
        _ configurations: ConfigurationDecider, _ tasks: TaskNumber, _ nonces: NonceBook, _ quotas: QuotaBook
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
        targets = TargetResolver(tables, directory)
    }

    /// - Parameter now: store time.
    func append(_ request: PushRequest, at now: Int64) throws(SQLiteError) -> Accepted {
        let accepted = try decided { () throws -> Accepted in
            guard let record = directory.apps[request.app] else { throw Refusal(.unknownAppKey, field: "appkey") }
            if record.app.disabled { throw Refusal(.appDisabled, field: "appkey") }
            guard record.app.interfaces.contains(request.interface) else { throw Refusal(.interfaceNotAllowed, field: "appkey") }
            if let nonce = request.nonce { try nonces.take(nonce, of: request.app, at: now, wall: now + time.wallOffset) }
            if let idempotency = request.idempotency,
                let first = try firstAnswer(to: idempotency, of: record.number, at: now)
            {
                return .repeated(first)
            }
            let expires = try Expiry.resolve(request.expireTime, of: request.interface, now: now, offset: time.wallOffset)
            let quota = quotas.quota(of: record.app)
            if let quota { try quotas.take(record.number, quota, at: now, wall: now + time.wallOffset) }
            let target = try targets.resolve(request, for: record.app)
            if request.testOnly && target.devices == 0 { throw Refusal(.noTestDevice) }
            let reach = try request.payload.reach(android: target.android, ios: target.ios)
            let task = try store(request, by: record, to: target, reach, expires: expires, at: now)
            if let quota { try quotas.stored(record.number, quota, wall: now + time.wallOffset) }
            return .stored(task)
        }
        switch accepted {
        case .success(let accepted): return accepted
        case .failure(let refusal): return .refused(refusal)
        }
    }

    // MARK: out_biz_no

    /// How long a repeat is recognised, in milliseconds.
    private static let idempotencyLifetime: Int64 = 24 * 3_600_000

    /// The task that this `out_biz_no` made within the last 24 hours, if it made one.
    /// - Throws: 2109 if it was used for something else.
    private func firstAnswer(to idempotency: PushRequest.Idempotency, of app: Int64, at now: Int64) throws -> TaskID? {
        let hash = StableHash.of(idempotency.outBizNo.text)
        var positions = try indexes.positions(ofApp: app, bizHash: hash)
        for generation in log.tail.view.generations { positions += generation.positions(ofApp: app, bizHash: hash) }
        for position in positions.reversed() {
            guard let origin = try messages.origin(of: position, named: idempotency.outBizNo) else { continue }
            if origin.created <= now - Self.idempotencyLifetime { return nil }
            if origin.fingerprint == idempotency.fingerprint { return tasks.id(of: position) }
            throw Refusal(.outBizNoReused, field: "policy.out_biz_no")
        }
        return nil
    }

    // MARK: The row

    private func store(
        _ request: PushRequest, by record: AppTable.Record, to target: TargetResolver.Found, _ reach: Payload.Reach,
        expires: Int64?, at now: Int64
    ) throws(SQLiteError) -> TaskID {
        let isConfiguration = request.interface == .configuration
        var flags = request.testOnly ? StoredRow.testOnly : 0
        var skipped = 0
        if case .withoutIOS(let leftOut) = reach {
            flags |= StoredRow.withoutIOS
            skipped = leftOut
        }
        let slot = isConfiguration ? target.slot(of: record.number, request) : nil
        // The older one's end takes a position before the new one's: the feed tells both in the log's order.
        if let slot { try configurations.supersede(slot, at: now) }
        var row = StoredRow(
            kind: isConfiguration ? .configuration : .message, app: record.number, target: target.key, flags: flags,
            within: scope(of: record.app, for: request), created: now, expires: expires, offset: time.offset,
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
        return task
    }

    /// The scope that bounds who receives it: a user's devices that lie inside, and whoever joins a configuration's target later.
    /// Any other target lies inside as a whole.
    private func scope(of app: App, for request: PushRequest) -> UInt32? {
        switch (request.interface, request.target) {
        case (.configuration, _), (.message, .user): app.scope.flatMap { directory.tree[$0]?.org }
        case (.message, _): nil
        }
    }
}
