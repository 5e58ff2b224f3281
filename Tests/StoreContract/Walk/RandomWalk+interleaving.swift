internal import Base
internal import Push

// What others may see between the slices in which a change of the directory is done: they push, connect, acknowledge and cancel
// then, the store ends, in good order or not, and afterwards everything is as if the change had been done at once.

extension RandomWalk {
    /// A change of the directory, and what others do between its slices.
    func interleave() async throws -> String {
        fixture.store.holdSlices(true)
        defer { fixture.store.holdSlices(false) }
        let (what, change, subject) = try longChange()
        guard let change else { return "nothing" }
        let ended = model.tasks.filter { $0.end != nil }.count
        let port = anyPort
        let answer = Answer()
        let waiting = Task {
            do { _ = try await port.apply(change) } catch { answer.fail(error) }
            answer.come()
        }
        var between: [String] = []
        var isKilled = false
        while try await isHeld(unless: answer) {
            if chance(60), between.count < 12 {
                between.append(try await other(than: subject))
            } else if !isKilled, chance(8) {
                isKilled = true
                between.append(try await end())
            } else {
                fixture.store.letSliceGo()
            }
        }
        fixture.store.holdSlices(false)
        await waiting.value
        // Whoever waited for it was answered, or went down with the store; a further change comes after its last slice.
        if !isKilled, let error = answer.error { throw mismatch("\(what): \(error)") }
        try await anyPort.makeOrg("last", under: nil)
        try await anyPort.removeOrg("last")
        if model.tasks.filter({ $0.end != nil }).count > ended {
            for task in model.tasks where task.end != nil && !task.wasEnded { task.isUncertain = true }
        }
        for holder in model.holders.values { holder.isOrderOpen = true }
        return what + between.map { "\n  meanwhile: " + $0 }.joined()
    }

    /// A change from which something may follow, the model having made it.
    /// - Returns: the holder whom it withdraws from, if there is one.
    private func longChange() throws -> (what: String, change: DirectoryChange?, subject: Model.Holder?) {
        for task in model.tasks { task.wasEnded = task.end != nil }
        if chance(55), let org = pick(sortedOrgs), org.id != "last" {
            let parent = pick(sortedOrgs.filter { !$0.path.contains { $0 === org } })
            model.reparent(org, under: parent)
            var change = OrganisationChange()
            change.parent = parent.map { .set(OrgID(unchecked: $0.id)) } ?? .clear
            return ("slowly: \(org.id) below \(parent?.id ?? "-")", .putOrganisation(OrgID(unchecked: org.id), change), nil)
        }
        guard let holder = pick(sortedHolders), let org = pick(sortedOrgs) else { return ("", nil, nil) }
        let token = DeviceToken(unchecked: holder.token)
        if chance(25) {
            model.remove(holder)
            return ("slowly: remove \(holder.token)", .removeDevice(token), holder)
        }
        let user = chance(50) ? holder.user : "u\(number(0..<4))"
        let test = chance(50)
        let withdraws = holder.test && !test || holder.user != nil && holder.user != user
        model.change(holder, org: org, user: user, test: test)
        var change = DeviceChange()
        change.organisation = OrgID(unchecked: org.id)
        change.user = user.map { .set(UserID(unchecked: $0)) } ?? .keep
        change.test = test
        return (
            "slowly: change \(holder.token) \(org.id) \(user ?? "-") test=\(test)",
            .putDevice(token, change, secretIfNew: nil), withdraws ? holder : nil
        )
    }

    /// Waits until a slice is held back, or there is none any more.
    private func isHeld(unless answer: Answer) async throws -> Bool {
        try await eventually("a slice, or the answer") { fixture.store.isHoldingSlice || answer.hasCome }
        return fixture.store.isHoldingSlice
    }

    /// What somebody else does.
    /// - Parameter subject: from whom something is being withdrawn: it acknowledges nothing, and nothing is cancelled meanwhile.
    private func other(than subject: Model.Holder?) async throws -> String {
        switch number(0..<6) {
        case 0...1: return try await push()
        case 2 where subject == nil: return try await cancel()
        case 3: return try await connect(sparing: subject)
        default:
            guard let connection = pick(connections), connection.holder !== subject else { return "nothing" }
            // Only what the model knows by its place.
            let known = connection.device.outstanding.prefix(20).filter { row in
                connection.holder.offers.contains { $0.position == row.position }
            }
            let rows = known.filter { _ in chance(60) }
            connection.device.settle(rows)
            try settle(rows, connection.holder, .delivered)
            return "settle \(rows.count) of \(connection.holder.token)"
        }
    }

    /// The store ends between two slices.
    private func end() async throws -> String {
        let ending: Ending = fixture.kind.claims([.crash]) && chance(70) ? .crash : .close
        // What nobody has read may be lost in a crash; what was read may not.
        if let task = model.tasks.last?.id { for port in [fixture.port, fixture.other] { _ = try await port.counts(task) } }
        try await reopen(after: ending)
        return "end by \(ending)"
    }
}

/// What came of a call that goes on beside others.
private final class Answer: Sendable {
    private let state = Locked<(hasCome: Bool, error: (any Error)?)>((false, nil))
    var hasCome: Bool { state.withLock { $0.hasCome } }
    var error: (any Error)? { state.withLock { $0.error } }
    func fail(_ error: any Error) { state.withLock { $0.error = error } }
    func come() { state.withLock { $0.hasCome = true } }
}
