internal import Push

extension RandomWalk {
    /// Compares all counts, and the devices and lists of a few or of all.
    func compare(everything: Bool) async throws {
        let port = anyPort
        try await compareReports(by: port)
        for org in sortedOrgs where everything || chance(20) { try await compare(org, by: port) }
        if everything || chance(10) { try await compareTotals(by: port) }
        for index in model.tasks.indices where everything || index == model.tasks.count - 1 || chance(3) {
            try await compareLists(of: model.tasks[index], by: port, everything: everything)
        }
        for holder in sortedHolders where everything || chance(20) { try await comparePending(of: holder) }
        for loop in [fixture.loop, fixture.otherLoop] {
            try expect(loop.faults.isEmpty, "the feed told \(loop.faults)")
            // What was told is checked when it comes, and nobody looks at it again.
            _ = loop.takeEvents()
        }
        let complaints = everything ? try await fixture.store.complaints : []
        try expect(complaints.isEmpty, "\(complaints)")
    }

    /// What an organisation counts below it.
    private func compare(_ org: Model.Org, by port: any StorePort) async throws {
        let below = model.holders.values.filter { $0.org.path.contains { $0 === org } }
        let online = below.count { holder in connections.contains { $0.holder === holder } }
        // Nobody waits for the end of a connection: where the store is another machine's, it may hear of it a moment later.
        try await soon {
            let found = try await port.organisation(OrgID(unchecked: org.id))
            try expect(found.parent?.text == org.parent?.id, "\(org.id) is below \(found.parent?.text ?? "-")")
            try expect(
                found.devices == below.count && found.online == online,
                "\(org.id) has \(found.devices) devices, \(found.online) online, not \(below.count), \(online)")
        }
    }

    /// What was told to one port may reach another a moment later; what still differs at the deadline does differ.
    private func soon(_ compare: () async throws -> Void) async throws {
        let deadline = fixture.countingDeadline
        while true {
            let isLast = ContinuousClock.now >= deadline
            do { return try await compare() } catch let difference as Mismatch { if isLast { throw difference } }
            try await Task.sleep(for: .milliseconds(1))
        }
    }

    // MARK: Tasks

    private func compareReports(by port: any StorePort) async throws {
        // Drawn once: the walk does not depend on how often it looks.
        let limit = number(5..<60)
        try await soon { try await compareReports(by: port, limit: limit) }
    }

    private func compareReports(by port: any StorePort, limit: Int) async throws {
        let reports = try await port.all { after throws(StoreError) in
            try await port.tasks(TaskFilter(), after: after, limit: limit)
        }
        let expected = Array(model.tasks.reversed())
        try expect(reports.map(\.task) == expected.compactMap(\.id), "tasks are \(reports.map(\.task))")
        for (report, task) in zip(reports, expected) {
            let recipients = model.recipients(task).mapValues(\.count)
            let counts = report.counts
            try expect(
                counts.parts.values.reduce(0, +) == counts.targeted, "\(report.task) counts \(counts.parts) of \(counts.targeted)"
            )
            try expect(report.status == model.status(task), "\(report.task) is \(report.status), not \(model.status(task))")
            if task.isUncertain { continue }
            let all = counts.all
            try expect(all == recipients, "\(report.task) counts \(all), not \(recipients)")
        }
    }

    /// The sums by tag, over all time and over one that begins and ends where it likes.
    private func compareTotals(by port: any StorePort) async throws {
        let first = model.tasks.first?.created ?? 0
        let length = model.now - first + 1
        let cut = first + length * Int64(number(0..<1_000)) / 1_000
        let end = cut + (model.now + 1 - cut) * Int64(number(0..<1_000)) / 1_000
        for app in model.apps {
            for tag in tags {
                for (from, to) in [(nil, nil), (nil, cut), (cut, nil), (cut, end)] as [(Int64?, Int64?)] {
                    let totals = try await port.totals(app: app, tag: tag, from: from, to: to)
                    let tasks = model.tasks.filter {
                        $0.request.app == app && $0.request.tag == tag && $0.created >= from ?? .min && $0.created < to ?? .max
                    }
                    var parts: [RecipientState: Int] = [:]
                    for task in tasks { parts.merge(try await counts(of: task, by: port)) { $0 + $1 } }
                    let all = totals.counts.all
                    let place = "\(app) \(tag) from \(from ?? 0) to \(to ?? 0)"
                    try expect(totals.tasks == tasks.count, "\(place): \(totals.tasks) tasks, not \(tasks.count)")
                    try expect(all == parts, "\(place) counts \(all), not \(parts)")
                }
            }
        }
    }

    /// What a task adds to the sums: what the model says, or what the store says of it alone where the model does not know.
    private func counts(of task: Model.Task, by port: any StorePort) async throws -> [RecipientState: Int] {
        guard task.isUncertain, let id = task.id else { return model.recipients(task).mapValues(\.count) }
        return try await port.counts(id).all
    }

    private func compareLists(of task: Model.Task, by port: any StorePort, everything: Bool) async throws {
        guard let id = task.id else { return }
        if task.isUncertain { return try await compareLists(ofUncertain: id, by: port) }
        let recipients = model.recipients(task)
        // Of the lists that are empty one, unless it is a day of rest.
        let other = RecipientState.allCases[number(0..<RecipientState.allCases.count)]
        for state in RecipientState.allCases where everything || recipients[state] != nil || state == other {
            let listed = try await port.recipients(id, state, limit: number(1..<7)).sorted()
            try expect(listed == recipients[state] ?? [], "\(id) lists \(state) \(listed), not \(recipients[state] ?? [])")
        }
    }

    /// Whatever they hold, they are as long as they are counted, and name nobody twice.
    private func compareLists(ofUncertain id: TaskID, by port: any StorePort) async throws {
        let counts = try await port.counts(id)
        for state in RecipientState.allCases where ![.opened, .applied, .failed].contains(state) {
            let listed = try await port.recipients(id, state)
            try expect(listed.count == counts.parts[state] ?? 0, "\(id) lists \(state) \(listed), and counts \(counts.parts)")
        }
    }

    // MARK: Devices

    private func comparePending(of holder: Model.Holder) async throws {
        if let connection = connections.first(where: { $0.holder === holder }) { return try await compare(connection) }
        let (port, limit) = (anyPort, number(1..<7))
        try await soon {
            let session = try await port.connect(holder.token)
            let rows = try await session.read(limit: limit)
            session.disconnect()
            try align(holder, with: rows)
        }
    }

    /// What a device that is connected would get if it began anew. A node that follows the log behind the answer pages up to
    /// where it has come.
    func compare(_ connection: Connection) async throws {
        guard model.holders[connection.holder.token] === connection.holder else { return }
        let limit = number(1..<7)
        try await soon { try align(connection.holder, with: try await connection.device.reread(limit: limit)) }
    }

    private func align(_ holder: Model.Holder, with rows: [Row]) throws {
        resolveDoubt(of: holder, by: rows)
        if holder.isOrderOpen { reorder(holder, as: rows) }
        let offers = model.pending(holder)
        let (found, expected) = (rows.map(\.task), offers.compactMap(\.task.id))
        try expect(found == expected, "pending for \(holder.token) is \(found), not \(expected)")
        for (offer, row) in zip(offers, rows) { offer.position = row.position }
        for offer in holder.offers { offer.isDoubtful = false }
        holder.isOrderOpen = false
    }

    /// Takes from the store whether it has forgotten that something is settled.
    private func resolveDoubt(of holder: Model.Holder, by rows: [Row]) {
        let known = Set(holder.offers.compactMap(\.position))
        for offer in holder.offers where offer.isDoubtful {
            offer.isSettled = !rows.contains { row in
                if let position = offer.position { return row.position == position }
                return row.task == offer.task.id && !known.contains(row.position)
            }
        }
    }

    /// Takes the order of what is pending from the store; what is pending is compared afterwards.
    private func reorder(_ holder: Model.Holder, as rows: [Row]) {
        var rest = model.pending(holder)
        var ordered: [Model.Offer] = []
        for row in rows {
            guard let index = rest.firstIndex(where: { $0.task.id == row.task }) else { return }
            ordered.append(rest.remove(at: index))
        }
        holder.offers = holder.offers.filter { offer in !ordered.contains { $0 === offer } } + ordered
    }
}

extension Counts {
    /// The states that devices are in, and what they have told; those that nobody is in are left out.
    fileprivate var all: [RecipientState: Int] {
        var all = parts
        for (state, count) in [(RecipientState.opened, opened), (.applied, applied), (.failed, failed)] where count != 0 {
            all[state] = count
        }
        return all
    }
}
