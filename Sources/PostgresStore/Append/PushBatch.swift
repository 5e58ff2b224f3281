internal import Base
internal import Postgres
internal import Push
internal import StoreCore

/// Pushes that are decided and stored by one call. A batch never has two that depend on each other's being stored: the same app's
/// `out_biz_no`, a nonce, or a configuration's slot. The second of them goes with the next.
struct PushBatch {
    /// The most pushes that one call takes: beyond it a push costs no less.
    static let most = 256

    private(set) var pushes: [PendingPush] = []
    private var keys: Set<Key> = []
    private var hasNonces = false

    private enum Key: Hashable {
        case outBizNo(AppKey, ExactText)
        case nonce(AppKey, Nonce)
        case slot(Int64)
    }

    /// Takes pushes in their order, as far as they can go together.
    /// - Returns: those that cannot.
    init(takingFrom waiting: inout [PendingPush]) {
        var left: [PendingPush] = []
        for push in waiting {
            if pushes.count < Self.most, insert(push) { pushes.append(push) } else { left.append(push) }
        }
        waiting = left
    }

    private mutating func insert(_ push: PendingPush) -> Bool {
        let request = push.request
        var needed: [Key] = []
        if let idempotency = request.idempotency { needed.append(.outBizNo(request.app, idempotency.outBizNo)) }
        if let nonce = request.nonce { needed.append(.nonce(request.app, nonce.nonce)) }
        if let slot = push.slot { needed.append(.slot(slot)) }
        guard keys.isDisjoint(with: needed) else { return false }
        keys.formUnion(needed)
        if request.nonce != nil { hasNonces = true }
        return true
    }

    /// One alone.
    init(_ request: PushRequest) {
        var waiting = [PendingPush(request: request, loop: 0, answer: { _ in })]
        self.init(takingFrom: &waiting)
    }

    /// The call's arguments, from the usual quota on.
    func append(to arguments: inout PostgresArguments, usual: PushQuota) {
        arguments.reserve(pushes.count * 768)
        arguments.append(int4: usual.perSecond.map(Int32.init(clamping:)))
        arguments.append(int4: usual.perDay.map(Int32.init(clamping:)))
        arguments.append(each: pushes, bytea: { Array($0.request.app.text.utf8) })
        arguments.append(each: pushes, int4: { $0.request.interface == .message ? 0 : 1 })
        arguments.append(each: pushes, int4: { Int32($0.request.target.kind.rawValue) })
        arguments.append(each: pushes, bytea: { Array($0.request.target.name.utf8) })
        arguments.append(each: pushes, int8: { StableHash.of($0.request.target.name) })
        arguments.append(each: pushes, bytea: { $0.request.payload.bytes })
        arguments.append(each: pushes, int4: { Int32(clamping: $0.request.payload.body.lowerBound) })
        arguments.append(each: pushes, int4: { Int32(clamping: $0.request.payload.body.upperBound) })
        arguments.append(each: pushes, int4: { Int32(clamping: $0.request.payload.measuredSize) })
        arguments.append(each: pushes, int4: { $0.request.payload.displayType.map { Int32($0.number) } })
        arguments.append(each: pushes, bool: { $0.request.testOnly })
        arguments.append(each: pushes, bytea: { $0.request.description.map { Array($0.utf8) } })
        arguments.append(each: pushes, bytea: { $0.request.tag.map { Array($0.text.utf8) } })
        arguments.append(each: pushes, int8: { push in push.request.tag.map { StableHash.of($0.text, of: push.request.app) } })
        arguments.append(each: pushes, int8: { $0.slot })
        arguments.append(each: pushes, int8: { $0.request.expireTime })
        arguments.append(each: pushes, bytea: { $0.request.idempotency.map { Array($0.outBizNo.text.utf8) } })
        arguments.append(each: pushes, int8: { $0.outBizNoHash })
        arguments.append(each: pushes, bytea: { $0.request.idempotency?.fingerprint })
        if hasNonces {
            arguments.append(each: pushes, int8: { $0.request.nonce?.timestamp })
            arguments.append(
                each: pushes, int8: { push in push.request.nonce.map { StableHash.of($0.nonce.text, of: push.request.app) } })
        } else {
            arguments.append(int8Array: [])
            arguments.append(int8Array: [])
        }
        arguments.append(each: pushes, bytea: { $0.request.client.map(\.storedBytes) })
        arguments.append(each: pushes, bytea: { $0.request.requestID.map { Array($0.utf8) } })
    }
}

/// A push that waits for its answer.
struct PendingPush: Sendable {
    let request: PushRequest
    /// The loop that has asked.
    let loop: Int
    /// Since when, on the monotonic clock.
    let since = MonotonicClock.nanoseconds
    let answer: @Sendable (Accepted) -> Void

    /// Of a configuration: a hash of what it is the current one of.
    var slot: Int64? {
        guard request.interface == .configuration else { return nil }
        return ConfigurationSlot.hash(
            kind: request.target.kind, name: request.target.name, app: request.app.text, tag: request.tag?.text ?? "",
            testOnly: request.testOnly)
    }

    var outBizNoHash: Int64? { request.idempotency.map { StableHash.of($0.outBizNo.text, of: request.app) } }
}

extension PushRequest.Target {
    var kind: TargetKey.Kind {
        switch self {
        case .device: .device
        case .user: .user
        case .organisation: .organisation
        }
    }

    /// As the caller named it.
    var name: String {
        switch self {
        case .device(let token): token.text
        case .user(let user): user.text
        case .organisation(let id): id.text
        }
    }

    /// The field of a push that names it.
    var field: String {
        switch self {
        case .device: "device_tokens"
        case .user: "user_id"
        case .organisation: "org_id"
        }
    }
}
