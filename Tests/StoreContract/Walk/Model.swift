internal import Base
internal import Push

/// The rules of the interface, by lists and loops: who gets what, in which order, and what became of it. Nothing here is shared
/// with the store, and nothing is clever.
final class Model {
    final class Org {
        let id: String
        var parent: Org?
        init(_ id: String, _ parent: Org?) {
            self.id = id
            self.parent = parent
        }
        /// It and everything above it.
        var path: [Org] { [self] + (parent?.path ?? []) }
    }

    enum State { case pending, delivered, withdrawn, skipped, rejected }

    final class Task {
        let request: PushRequest
        let created: Int64
        let expires: Int64?
        /// The organisation addressed, and that of the app's scope: as they were, whatever later bears their names.
        let target: Org?
        let scope: Org?
        let withoutIOS: Bool
        var id: TaskID?
        var end: TaskStatus?
        /// It ended while a change of the directory had still something to do: who had joined it by then, and what was withdrawn,
        /// is the store's affair.
        var isUncertain = false
        var wasEnded = false
        var states: [ObjectIdentifier: State] = [:]
        /// Who has told what of it: the devices' tokens. The holders themselves would hold their tasks, and be held by them.
        var told: [ReceiptEvent: [ObjectIdentifier: String]] = [:]
        var isConfiguration: Bool { request.interface == .configuration }

        init(_ request: PushRequest, _ created: Int64, _ expires: Int64?, _ target: Org?, _ scope: Org?, withoutIOS: Bool) {
            (self.request, self.created, self.expires) = (request, created, expires)
            (self.target, self.scope, self.withoutIOS) = (target, scope, withoutIOS)
        }
    }

    /// One copy of a task that a device is to receive.
    final class Offer {
        let task: Task
        var isSettled = false
        var isWithdrawn = false
        /// The device got it as it joined the task's target.
        let isJoined: Bool
        /// The store may have forgotten in a crash whether it is settled.
        var isDoubtful = false
        /// Where it stands in the store, once it was seen there.
        var position: Position?
        init(_ task: Task, isJoined: Bool) { (self.task, self.isJoined) = (task, isJoined) }
    }

    /// A device in the hands of one holder.
    final class Holder {
        let token: String
        let platform: Platform
        var org: Org
        var user: String?
        var test: Bool
        var offers: [Offer] = []
        /// What it has joined by a change that was done in slices may stand after what was pushed between them.
        var isOrderOpen = false
        init(_ token: String, _ platform: Platform, _ org: Org, _ user: String?, _ test: Bool) {
            (self.token, self.platform, self.org, self.user, self.test) = (token, platform, org, user, test)
        }
    }

    struct Slot: Hashable {
        let app: AppKey
        let target: PushRequest.Target
        let tag: ExactText
        let testOnly: Bool
    }

    enum Outcome { case stored(Task), repeated(Task), refused(ErrorCode) }

    var now: Int64
    var orgs: [String: Org] = [:]
    var apps: Set<AppKey> = []
    var scopes: [AppKey: String] = [:]
    var holders: [String: Holder] = [:]
    /// Every holder there ever was, so that lists of devices can be compared.
    var everyHolder: [Holder] = []
    var tasks: [Task] = []
    var current: [Slot: Task] = [:]

    init(now: Int64) { self.now = now }

    func isDeliverable(_ task: Task) -> Bool { task.end == nil && (task.expires ?? .max) > now }

    func pending(_ holder: Holder) -> [Offer] {
        holder.offers.filter { !$0.isSettled && !$0.isWithdrawn && isDeliverable($0.task) }
    }

    // MARK: Pushing

    func push(_ request: PushRequest) -> Outcome {
        if !apps.contains(request.app) { return .refused(.unknownAppKey) }
        if let biz = request.idempotency,
            let first = tasks.last(where: {
                $0.request.app == request.app && $0.request.idempotency?.outBizNo == biz.outBizNo
                    && $0.created > now - 24 * 3_600_000
            })
        {
            return first.request.idempotency == biz ? .repeated(first) : .refused(.outBizNoReused)
        }
        if let wish = request.expireTime, wish <= now { return .refused(.invalidValue) }
        let expires = request.expireTime ?? (request.interface == .message ? now + 72 * 3_600_000 : nil)
        let scope = scopes[request.app].map { orgs[$0] }
        var addressed: [Holder]
        switch request.target {
        case .device(let token):
            addressed = holders[token.text].map { [$0] } ?? []
            if addressed.isEmpty { return .refused(.noSuchDevice) }
        case .user(let user):
            addressed = holders.values.filter { $0.user == user.text }
            if addressed.isEmpty { return .refused(.userHasNoDevice) }
        case .organisation(let id):
            guard let org = orgs[id.text] else { return .refused(.noSuchOrganisation) }
            if let scope, !org.path.contains(where: { $0 === scope }) { return .refused(.targetOutsideScope) }
            addressed = holders.values.filter { $0.org.path.contains { $0 === org } }
        }
        if let scope {
            let inside = addressed.filter { $0.org.path.contains { $0 === scope } }
            if inside.isEmpty && !addressed.isEmpty { return .refused(.targetOutsideScope) }
            addressed = inside
        }
        if request.testOnly {
            addressed = addressed.filter(\.test)
            if addressed.isEmpty { return .refused(.noTestDevice) }
        }
        let size = request.payload.measuredSize
        if size > 1_024 { return .refused(.payloadTooLarge) }
        if size > 256 && !addressed.isEmpty && addressed.allSatisfy({ $0.platform == .ios }) { return .refused(.payloadTooLarge) }

        let target: Org? = if case .organisation(let id) = request.target { orgs[id.text] } else { nil }
        let task = Task(request, now, expires, target, scope ?? nil, withoutIOS: size > 256)
        tasks.append(task)
        if task.isConfiguration {
            let slot = Slot(app: request.app, target: request.target, tag: request.tag ?? "", testOnly: request.testOnly)
            if let older = current[slot], isDeliverable(older) { older.end = .superseded }
            current[slot] = task
        }
        for holder in addressed { offer(task, to: holder, isJoined: false) }
        return .stored(task)
    }

    private func offer(_ task: Task, to holder: Holder, isJoined: Bool) {
        let skips = task.withoutIOS && holder.platform == .ios
        let known = task.states[ObjectIdentifier(holder)]
        if known == nil || known == .withdrawn { task.states[ObjectIdentifier(holder)] = skips ? .skipped : .pending }
        if !skips { holder.offers.append(Offer(task, isJoined: isJoined)) }
    }

    /// A store whose cursors are not exact has crashed: what is told twice by tasks may be told once more by it, or once only.
    func doubt() {
        for holder in holders.values {
            for offer in holder.offers {
                offer.isDoubtful = holder.offers.contains { other in
                    other.task === offer.task && other.isSettled && (other.isJoined || other !== offer)
                }
            }
        }
    }

    func cancel(_ task: Task) {
        let isWaitedFor = task.isConfiguration || task.states.values.contains(.pending)
        guard isDeliverable(task), isWaitedFor else { return }
        task.end = .cancelled
        if let slot = current.first(where: { $0.value === task })?.key { current[slot] = nil }
    }

    func settle(_ offer: Offer, _ holder: Holder, _ kind: Delivery.Kind) {
        (offer.isSettled, offer.isDoubtful) = (true, false)
        if offer.task.states[ObjectIdentifier(holder)] == .pending {
            offer.task.states[ObjectIdentifier(holder)] =
                switch kind {
                case .delivered: .delivered
                case .skipped: .skipped
                case .rejected: .rejected
                }
        }
    }

    /// A device tells of a task.
    func tell(_ task: Task, _ event: ReceiptEvent, _ holder: Holder) -> ReceiptResult {
        // An iOS device that was left out was counted, but not addressed.
        guard task.states[ObjectIdentifier(holder)] != nil, !(task.withoutIOS && holder.platform == .ios) else { return .refused }
        let isKnown = task.told[event, default: [:]].updateValue(holder.token, forKey: ObjectIdentifier(holder)) != nil
        return isKnown ? .known : .counted
    }

    // MARK: The directory

    func register(_ token: String, _ platform: Platform, _ org: Org, _ user: String?, _ test: Bool) {
        let holder = Holder(token, platform, org, user, test)
        holders[token] = holder
        everyHolder.append(holder)
        join(holder, except: [])
    }

    func remove(_ holder: Holder) {
        withdraw(holder) { _ in true }
        holders[holder.token] = nil
    }

    func change(_ holder: Holder, org: Org, user: String?, test: Bool) {
        if holder.user != nil && holder.user != user {
            remove(holder)
            register(holder.token, holder.platform, org, user, test)
            return
        }
        if holder.test && !test { withdraw(holder) { $0.request.testOnly } }
        let before = configurations(for: holder)
        (holder.org, holder.user, holder.test) = (org, user, test)
        join(holder, except: before)
    }

    func reparent(_ org: Org, under parent: Org?) {
        let before = holders.values.map { ($0, configurations(for: $0)) }
        org.parent = parent
        for (holder, known) in before { join(holder, except: known) }
    }

    func remove(_ org: Org) {
        for (slot, task) in current where task.target === org {
            if isDeliverable(task) { task.end = .cancelled }
            current[slot] = nil
        }
        orgs[org.id] = nil
    }

    private func withdraw(_ holder: Holder, where isConcerned: (Task) -> Bool) {
        for offer in pending(holder) where isConcerned(offer.task) {
            if offer.task.states[ObjectIdentifier(holder)] == .pending {
                offer.task.states[ObjectIdentifier(holder)] = .withdrawn
            }
            offer.isWithdrawn = true
        }
    }

    private func join(_ holder: Holder, except known: [Task]) {
        for task in configurations(for: holder) where !known.contains(where: { $0 === task }) {
            offer(task, to: holder, isJoined: true)
        }
    }

    /// The current configurations whose targets the device is in, oldest first.
    private func configurations(for holder: Holder) -> [Task] {
        tasks.filter { task in
            guard current.values.contains(where: { $0 === task }), isDeliverable(task) else { return false }
            if task.request.testOnly && !holder.test { return false }
            let path = holder.org.path
            if let scope = task.scope, !path.contains(where: { $0 === scope }) { return false }
            return switch task.request.target {
            case .device(let token): token.text == holder.token
            case .user(let user): user.text == holder.user
            case .organisation: path.contains { $0 === task.target }
            }
        }
    }

    // MARK: Looking

    func restState(_ task: Task) -> RecipientState {
        switch task.end {
        case .cancelled: .cancelled
        case .superseded: .superseded
        default: isDeliverable(task) ? .pending : .expired
        }
    }

    func recipients(_ task: Task) -> [RecipientState: [String]] {
        var found: [RecipientState: [String]] = [:]
        for holder in everyHolder {
            guard let state = task.states[ObjectIdentifier(holder)] else { continue }
            let name: RecipientState =
                switch state {
                case .pending: restState(task)
                case .delivered: .delivered
                case .withdrawn: .withdrawn
                case .skipped: .skippedOversize
                case .rejected: .rejected
                }
            found[name, default: []].append(holder.token)
        }
        for (event, holders) in task.told {
            guard let state = RecipientState(rawValue: event.rawValue) else { continue }
            found[state] = Array(holders.values)
        }
        return found.mapValues { $0.sorted() }
    }

    func status(_ task: Task) -> TaskStatus {
        if let end = task.end { return end }
        let isSettled = !task.states.values.contains(.pending)
        if isSettled && (!task.isConfiguration || !isDeliverable(task)) { return .completed }
        return isDeliverable(task) ? .active : .expired
    }
}
