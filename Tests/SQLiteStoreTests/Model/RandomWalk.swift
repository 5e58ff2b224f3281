import Push
import Testing

@testable import SQLiteStore

/// Drives the store and the model side by side, and compares them after every step.
final class RandomWalk {
    private struct Session {
        let device: TestSession
        let holder: Model.Holder
        var read: [Row] = []
        var lastSettled: [Row] = []
    }

    let fixture: StoreFixture
    let model: Model
    var random: SplitMix
    private var sessions: [Session] = []
    private var steps: [String] = []
    private(set) var isSame = true

    init(seed: UInt64) async throws {
        var random = SplitMix(seed: seed)
        let (threshold, pause) = (Int.random(in: 1...12, using: &random), Int.random(in: 1...40, using: &random))
        fixture = try await StoreFixture { options in
            options.tuning.mergeThreshold = threshold
            options.tuning.mergePause = pause
            // Nothing is forgotten here, however far the clock is moved.
            options.taskRetention = 10 * 365 * 24 * 3_600_000
        }
        self.random = random
        model = Model(now: fixture.clock.now)
        for (id, parent) in [("o0", nil), ("o1", "o0"), ("o2", "o0"), ("o3", "o1")] as [(String, String?)] {
            try await fixture.org(id, under: parent)
            model.orgs[id] = Model.Org(id, parent.flatMap { model.orgs[$0] })
        }
        try await fixture.app("all")
        try await fixture.app("part", scope: "o1")
        model.scopes[AppKey(unchecked: "part")] = "o1"
    }

    /// One step, and a look at everything.
    func step() async throws {
        let what = try await change()
        steps.append(what)
        try await compare(what)
    }

    private func pick<T>(_ all: [T]) -> T? { all.randomElement(using: &random) }
    private func chance(_ percent: Int) -> Bool { Int.random(in: 0..<100, using: &random) < percent }
    private var sortedOrgs: [Model.Org] { model.orgs.values.sorted { $0.id < $1.id } }
    private var sortedHolders: [Model.Holder] { model.holders.values.sorted { $0.token < $1.token } }

    private func change() async throws -> String {
        switch Int.random(in: 0..<100, using: &random) {
        case 0..<32: return try await push()
        case 32..<44: return try await register()
        case 44..<56: return try await changeDevice()
        case 56..<61: return try await changeTree()
        case 61..<65: return try await cancel()
        case 65..<90: return try await session()
        case 90..<97:
            let time =
                chance(80) ? Int64.random(in: 1...5_000, using: &random) : Int64.random(in: 1...40, using: &random) * 3_600_000
            fixture.clock.advance(time)
            model.now = fixture.clock.now
            return "time +\(time)"
        default:
            sessions = []
            try await fixture.restart()
            return "restart"
        }
    }

    // MARK: Pushes

    private func push() async throws -> String {
        let target: PushRequest.Target =
            switch Int.random(in: 0..<3, using: &random) {
            case 0: .device("t\(Int.random(in: 0..<8, using: &random))")
            case 1: .user("u\(Int.random(in: 0..<4, using: &random))")
            default: .organisation("o\(Int.random(in: 0..<7, using: &random))")
            }
        let app = chance(65) ? "all" : "part"
        let size = [100, 100, 100, 256, 257, 600, 1_024, 1_025][Int.random(in: 0..<8, using: &random)]
        let tag = chance(30) ? "g" : nil
        let expires: Int64? =
            chance(35) ? model.now + [-1, 0, 1, 3_000, 3_600_000, 80_000_000][Int.random(in: 0..<6, using: &random)] : nil
        let bizNo = chance(25) ? "b\(Int.random(in: 0..<4, using: &random))" : nil
        let text = "x\(Int.random(in: 0..<2, using: &random))"
        let request: PushRequest =
            chance(50)
            ? .message(target, from: app, size: size, testOnly: chance(35), tag: tag, expires: expires, bizNo: bizNo, text: text)
            : .configuration(
                target, from: app, size: size, testOnly: chance(35), tag: tag, expires: expires, bizNo: bizNo, text: text)
        let expected = model.push(request)
        let accepted = await fixture.port.append(request, withinRate: true)
        let what = "push \(app) \(request.interface) \(target) test=\(request.testOnly) size=\(size) -> \(accepted)"
        switch (expected, accepted) {
        case (.stored(let task), .stored(let id)): task.id = id
        case (.repeated(let task), .repeated(let id)): expect(task.id == id, what)
        case (.refused(let code), .refused(let refusal)): expect(code == refusal.code, "\(what), expected \(code)")
        default: expect(false, "\(what), expected \(expected)")
        }
        return what
    }

    private func cancel() async throws -> String {
        guard let task = pick(model.tasks), let id = task.id else { return "nothing" }
        model.cancel(task)
        try await fixture.port.cancel(id, by: task.request.app)
        return "cancel \(id)"
    }

    // MARK: The directory

    private func register() async throws -> String {
        let token = "t\(Int.random(in: 0..<8, using: &random))"
        guard model.holders[token] == nil, let org = pick(sortedOrgs) else { return "nothing" }
        let platform: Platform = chance(60) ? .android : .ios
        let user = chance(60) ? "u\(Int.random(in: 0..<4, using: &random))" : nil
        let test = chance(30)
        model.register(token, platform, org, user, test)
        try await fixture.device(token, in: org.id, platform, user: user, test: test)
        return "register \(token) \(platform) \(org.id) \(user ?? "-") test=\(test)"
    }

    private func changeDevice() async throws -> String {
        guard let holder = pick(sortedHolders) else { return "nothing" }
        if chance(15) {
            model.remove(holder)
            try await fixture.remove(holder.token)
            return "remove \(holder.token)"
        }
        var (org, user, test) = (holder.org, holder.user, holder.test)
        if chance(50), let other = pick(sortedOrgs) { org = other }
        if chance(30) { user = chance(25) ? nil : "u\(Int.random(in: 0..<4, using: &random))" }
        if chance(45) { test.toggle() }
        let (isClear, isNewSecret) = (user == nil, chance(10))
        model.change(holder, org: org, user: user, test: test)
        try await fixture.change(holder.token) { change in
            change.organisation = OrgID(unchecked: org.id)
            change.user = isClear ? .clear : .set(UserID(unchecked: user ?? ""))
            change.test = test
            if isNewSecret { change.secret = "secret" }
        }
        return "change \(holder.token) \(org.id) \(user ?? "-") test=\(test)"
    }

    private func changeTree() async throws -> String {
        let id = "o\(Int.random(in: 0..<7, using: &random))"
        guard let org = model.orgs[id] else {
            let parent = chance(80) ? pick(sortedOrgs) : nil
            model.orgs[id] = Model.Org(id, parent)
            try await fixture.org(id, under: parent?.id)
            return "create \(id) below \(parent?.id ?? "-")"
        }
        let isInUse = model.orgs.values.contains { $0.parent === org } || model.holders.values.contains { $0.org === org }
        if !isInUse && chance(40) {
            model.remove(org)
            try await fixture.removeOrg(id)
            return "remove \(id)"
        }
        let parent = chance(80) ? pick(sortedOrgs.filter { !$0.path.contains { $0 === org } }) : nil
        model.reparent(org, under: parent)
        var change = OrganisationChange()
        change.parent = parent.map { .set(OrgID(unchecked: $0.id)) } ?? .clear
        _ = try await fixture.port.apply(.putOrganisation(OrgID(unchecked: id), change))
        return "reparent \(id) below \(parent?.id ?? "-")"
    }

    // MARK: Connections

    private func session() async throws -> String {
        if sessions.isEmpty || chance(25) {
            guard let holder = pick(sortedHolders), !sessions.contains(where: { $0.holder === holder }) else { return "nothing" }
            sessions.append(Session(device: try await fixture.attach(holder.token), holder: holder))
            return "connect \(holder.token)"
        }
        let index = Int.random(in: 0..<sessions.count, using: &random)
        let token = sessions[index].holder.token
        switch Int.random(in: 0..<10, using: &random) {
        case 0..<3:
            sessions[index].read = try await sessions[index].device.pending(limit: Int.random(in: 1...25, using: &random))
            return "read \(token)"
        case 3..<7:
            let rows = sessions[index].device.outstanding.prefix(20).filter { _ in chance(60) }.shuffled(using: &random)
            let kind: Delivery.Kind = chance(90) ? .delivered : .skipped
            sessions[index].device.settle(rows, kind)
            sessions[index].lastSettled = rows
            for row in rows { settle(row, sessions[index].holder, kind) }
            return "settle \(rows.count) of \(token)"
        case 7:
            let session = sessions[index]
            fixture.port.settle(
                session.lastSettled.map {
                    Delivery(device: session.device.attached.device, position: $0.position, settledUpTo: .start, kind: .delivered)
                })
            return "settle again \(session.lastSettled.count) of \(token)"
        default:
            let session = sessions.remove(at: index)
            let rows = session.device.outstanding.prefix(20).filter { _ in chance(30) }
            session.device.detach(settling: Array(rows))
            for row in rows { settle(row, session.holder, .delivered) }
            return "disconnect \(token)"
        }
    }

    private func settle(_ row: Row, _ holder: Model.Holder, _ kind: Delivery.Kind) {
        guard let offer = holder.offers.first(where: { $0.position == row.position }) else {
            return expect(false, "\(holder.token) was offered \(row.task) at \(row.position), which the model does not know")
        }
        model.settle(offer, holder, kind)
    }

    // MARK: Comparing

    private func compare(_ what: String) async throws {
        let ids = model.tasks.compactMap(\.id)
        guard ids.count == model.tasks.count else { return expect(false, "a task of the model is not in the store") }
        let everything = steps.count % 10 == 0
        let lists = Set(model.tasks.indices.filter { everything || $0 >= model.tasks.count - 2 || chance(5) })
        let probe = try await StoreProbe.take(
            fixture.port, tasks: ids, lists: lists, devices: model.holders.keys.sorted(),
            limit: Int.random(in: 1...6, using: &random))
        expect(probe.busy.isEmpty, "after \(what): statements not ended: \(probe.busy)")
        for (index, task) in model.tasks.enumerated() {
            compare(probe.tasks[index], with: task, lists: lists.contains(index), what)
        }
        for holder in sortedHolders {
            let offers = model.pending(holder)
            let rows = probe.pending[holder.token] ?? []
            expect(
                rows.map(\.task) == offers.compactMap(\.task.id),
                "after \(what): pending for \(holder.token) is \(rows), not \(offers.map(\.task.id))")
            for (offer, row) in zip(offers, rows) { offer.position = row.position }
        }
    }

    private func compare(_ view: StoreProbe.TaskView, with task: Model.Task, lists: Bool, _ what: String) {
        let recipients = model.recipients(task)
        let counts = view.counts
        let seven = [
            counts.delivered, counts.pending, counts.expired, counts.superseded, counts.cancelled, counts.withdrawn,
            counts.skippedOversize,
        ]
        let names: [RecipientState] = [.delivered, .pending, .expired, .superseded, .cancelled, .withdrawn, .skippedOversize]
        expect(
            seven == names.map { recipients[$0]?.count ?? 0 } && seven.reduce(0, +) == counts.targeted,
            "after \(what): \(task.id.map(\.text) ?? "") counts \(seven) of \(counts.targeted), not \(recipients)")
        if lists { expect(view.recipients == recipients, "after \(what): lists \(view.recipients), not \(recipients)") }
        let isSettled = !task.states.values.contains(.pending)
        let status: TaskStatus =
            task.end
            ?? (isSettled && (!task.isConfiguration || !model.isDeliverable(task))
                ? .completed : model.isDeliverable(task) ? .active : .expired)
        expect(view.status == status, "after \(what): status \(view.status), not \(status)")
    }

    private func expect(_ condition: Bool, _ message: @autoclosure () -> String) {
        guard !condition, isSame else { return }
        isSame = false
        Issue.record("\(message())\nthe last steps:\n\(steps.suffix(60).joined(separator: "\n"))")
    }
}
