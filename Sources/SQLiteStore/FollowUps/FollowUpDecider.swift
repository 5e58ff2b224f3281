internal import Push
internal import StoreCore

/// Does what changes of the directory have still to do, as far as the transaction's budget goes. See ``FollowUp`` for what holds
/// meanwhile.
final class FollowUpDecider {
    private let tables: Tables
    private let log: MessageLog
    private let directory: DirectoryMemory
    private let facts: FactBook
    private let configurations: ConfigurationDecider
    private let tasks: TaskDecider
    private let followUps: FollowUps
    private let numbers: TaskNumber
    private let budget: StepBudget
    /// What the walk through a subtree needs again in its next slice.
    private var subtree: SubtreeWalk?
    private let faults: Faults
    /// Whether the first slice of it is done in the transaction of the change itself.
    var isInline = true
    private var trouble = FollowUpTrouble()
    /// Something was given up of what follows from the change that is being followed up.
    var hasGivenUp = false

    init(
        _ tables: Tables, _ log: MessageLog, _ directory: DirectoryMemory, _ facts: FactBook,
        _ configurations: ConfigurationDecider, _ tasks: TaskDecider, _ followUps: FollowUps, _ numbers: TaskNumber,
        _ budget: StepBudget, _ faults: Faults
    ) {
        self.tables = tables
        self.log = log
        self.directory = directory
        self.facts = facts
        self.configurations = configurations
        self.tasks = tasks
        self.followUps = followUps
        self.numbers = numbers
        self.budget = budget
        self.faults = faults
    }

    /// A transaction was undone: what was found in it may have never been, and its numbers are given anew.
    func undone() { subtree = nil }

    /// Whether there is something left to do.
    var isBusy: Bool { !followUps.isEmpty }

    /// Goes on until everything is done or the budget is spent. Some progress is made in any case, however small the budget is.
    func advance(at now: Int64) throws(SQLiteError) {
        trouble.ended()
        var isFirst = true
        while !budget.isSpent, let followUp = followUps.first {
            switch trouble.begin(followUp.number, isFirst: isFirst) {
            case .goOn: if try advance(followUp, at: now) { remove(followUp) }
            case .wait: return
            case .giveUp(let error):
                giveUp("\(followUp.work)", error)
                remove(followUp)
            }
            trouble.ended()
            isFirst = false
        }
        if followUps.isEmpty { subtree = nil }
    }

    private func remove(_ followUp: FollowUp) {
        followUps.removeFirst()
        trouble.forget(followUp.number)
    }

    // MARK: What would fail for ever

    /// Whether a transaction that failed was in the midst of it.
    var isDoing: Bool { trouble.isDoing }

    /// The transaction failed, and would again.
    func wasAtFault(_ error: SQLiteError) { trouble.failed(error) }

    /// Does what one task needs, so that it is given up alone where it cannot be done.
    private func attempt(
        _ task: UInt64, _ followUp: FollowUp, _ body: () throws(SQLiteError) -> Void
    ) throws(SQLiteError) {
        if let error = trouble.error(in: task) {
            return giveUp("\(followUp.work), task \(numbers.id(of: task))", error)
        }
        trouble.begin(task: task)
        try body()
        trouble.begin(task: nil)
    }

    private func giveUp(_ what: String, _ error: SQLiteError) {
        faults.tell("what follows from a change of the directory was given up (\(what))", error)
        hasGivenUp = true
    }

    /// - Returns: whether it is done.
    private func advance(_ followUp: FollowUp, at now: Int64) throws(SQLiteError) -> Bool {
        switch followUp.work {
        case .enter(let org, let former):
            try enter(org, formerlyBelow: former == 0 ? nil : former, followUp)
            return true
        case .joinSubtree(let org, let configuration):
            return try join(subtree: org, configuration, followUp, at: now)
        case .joinUser(let org, let configuration):
            return try join(usersBelow: org, configuration, followUp, at: now)
        case .enterAll(let device, let former):
            return try enter(device, formerly: former, followUp, at: now)
        case .joinDevice(let device, let configuration):
            budget.take(StepBudget.row)
            if let row = try joinable(configuration, at: now), let device = try tables.devices.member(device) {
                try join(device, row, at: now)
            }
            return true
        case .withdraw(let device):
            return try withdraw(device, followUp, at: now) { _ in true }
        case .withdrawTests(let device):
            return try withdraw(device, followUp, at: now) { $0.isTestOnly }
        case .cancelAll(let org):
            return try cancel(ofOrganisation: org, followUp, at: now)
        case .cancel(let configuration):
            budget.take(StepBudget.row + StepBudget.write)
            if try current(configuration, at: now) != nil { try tasks.endTask(configuration, .cancelled, at: now) }
            return true
        }
    }

    /// A configuration that has not ended.
    private func current(_ configuration: UInt64, at now: Int64) throws(SQLiteError) -> StoredRow? {
        guard let row = try tables.messages.row(configuration), row.isDeliverable(at: now) else { return nil }
        return row
    }

    /// The same of one that can be joined. An organisation may be gone and another one bear its name, which is not its target.
    private func joinable(_ configuration: UInt64, at now: Int64) throws(SQLiteError) -> StoredRow? {
        guard let row = try current(configuration, at: now), isTargetThere(of: row) else { return nil }
        return row
    }

    private func isTargetThere(of row: StoredRow) -> Bool {
        row.target.kind != .organisation || directory.tree[row.target.shortID] != nil
    }

    // MARK: Cancelling

    /// `place`: the last one that was looked at.
    private func cancel(ofOrganisation org: UInt32, _ followUp: FollowUp, at now: Int64) throws(SQLiteError) -> Bool {
        var place = followUp.place
        while true {
            let limit = min(max(1, budget.left / (StepBudget.row + 2 * StepBudget.write)), Self.page)
            let found = try configurations.entries(ofOrganisation: org, after: place, limit: limit)
            for entry in found {
                try attempt(entry.seq, followUp) { () throws(SQLiteError) in try configurations.cancel(entry, at: now) }
            }
            budget.take(1 + found.count * (StepBudget.row + 2 * StepBudget.write))
            guard found.count == limit, let last = found.last else { return true }
            place = last.seq
            if budget.isSpent {
                followUps.move(to: place)
                return false
            }
        }
    }

    // MARK: Joining

    /// Finds the next configurations that an organisation's subtree joins by its move, and who of it joins each.
    private func enter(_ org: UInt32, formerlyBelow former: UInt32?, _ followUp: FollowUp) throws(SQLiteError) {
        let tree = directory.tree
        let before = Set(former.map { tree.path(of: $0) } ?? [])
        // The organisation itself was above its subtree all the time.
        let joined = tree.path(of: org).dropFirst().filter { !before.contains($0) }
        let limit = ConfigurationDecider.entering(2 * joined.count)
        let next = try configurations.entries(
            ofTargetsOrScopes: joined, after: followUp.place, before: followUp.position, limit: limit)
        budget.take(next.looked * StepBudget.count + next.found.count * StepBudget.row)
        for entry in next.found {
            try attempt(entry.seq, followUp) { () throws(SQLiteError) in
                guard let work = try join(entry, by: org) else { return }
                followUps.append(work, at: followUp.position)
            }
        }
        if next.found.count == limit, let last = next.found.last {
            followUps.append(.enter(organisation: org, formerParent: former ?? 0), at: followUp.position, from: last.seq)
        }
    }

    /// What is to be done for a configuration whose target, or whose scope, an organisation has come below.
    private func join(_ entry: CurrentConfiguration, by org: UInt32) throws(SQLiteError) -> FollowUp.Work? {
        let tree = directory.tree
        switch entry.kind {
        case .organisation:
            return tree.joining(OrgID(unchecked: entry.name), by: org).map { .joinSubtree(of: $0, configuration: entry.seq) }
        case .user:
            return .joinUser(below: org, configuration: entry.seq)
        case .device:
            guard let device = try tables.devices.find(DeviceToken(unchecked: entry.name))?.member,
                tree.isBelow(device.membership.organisation.index, org)
            else { return nil }
            return .joinDevice(device.ordinal, configuration: entry.seq)
        }
    }

    /// `place`: the last configuration that was looked at.
    private func enter(
        _ ordinal: UInt32, formerly former: FormerMembership?, _ followUp: FollowUp, at now: Int64
    ) throws(SQLiteError) -> Bool {
        budget.take(StepBudget.row)
        guard let device = try tables.devices.member(ordinal), let token = try tables.devices.token(of: ordinal) else {
            return true
        }
        let depth = directory.tree.path(of: device.membership.organisation.index).count
        var place = followUp.place
        while true {
            let limit = min(
                ConfigurationDecider.entering(depth + 2), max(1, budget.left / (2 * StepBudget.row + StepBudget.write)))
            let next = try configurations.entries(
                for: token, device.membership, after: place, before: followUp.position, limit: limit)
            budget.take(next.looked * StepBudget.count)
            for entry in next.found where entry.isJoined(by: device.membership, formerly: former, directory.tree) {
                budget.take(StepBudget.row)
                try attempt(entry.seq, followUp) { () throws(SQLiteError) in
                    if let row = try joinable(entry.seq, at: now) { try join(device, row, at: now) }
                }
            }
            guard next.found.count == limit, let last = next.found.last else { return true }
            place = last.seq
            if budget.isSpent {
                followUps.move(to: place)
                return false
            }
        }
    }

    private func join(_ device: DeviceTable.Member, _ row: StoredRow, at now: Int64) throws(SQLiteError) {
        budget.take(StepBudget.row + StepBudget.write)
        try configurations.join(device, row, at: now)
    }

    /// `place`: the organisation and the device in it that were counted last, in the order of their numbers.
    private func join(
        subtree org: UInt32, _ configuration: UInt64, _ followUp: FollowUp, at now: Int64
    ) throws(SQLiteError) -> Bool {
        budget.take(StepBudget.row)
        guard let row = try tables.messages.row(configuration), row.isDeliverable(at: now) || followUp.place > 0,
            isTargetThere(of: row), let counters = try facts.receipts.receipts(at: configuration)
        else { return true }
        let walk: SubtreeWalk
        if let known = subtree, known.number == followUp.number {
            walk = known
        } else {
            walk = SubtreeWalk(followUp.number, directory.tree.descendants(of: org), PastMembers(tables, row))
            subtree = walk
        }
        var place = followUp.place
        while let (next, after) = walk.organisation(from: place) {
            let limit = min(max(budget.left, 1), 256)
            let devices = try tables.devices.candidates(ofOrganisation: next, after: after, limit: limit)
            budget.take(StepBudget.count * (1 + devices.count))
            for device in devices { try configurations.count(device, in: row, counters, walk.past) }
            place = SubtreeWalk.place(next, devices.count < limit ? nil : devices.last?.member.ordinal)
            if budget.isSpent {
                followUps.move(to: place)
                return false
            }
        }
        budget.take(StepBudget.write)
        if row.isDeliverable(at: now) { try configurations.refer(to: row, below: org, at: now) }
        return true
    }

    /// `place`: the last device that was counted.
    private func join(
        usersBelow org: UInt32, _ configuration: UInt64, _ followUp: FollowUp, at now: Int64
    ) throws(SQLiteError) -> Bool {
        budget.take(StepBudget.row)
        guard let row = try joinable(configuration, at: now) else { return true }
        var place = UInt32(truncatingIfNeeded: followUp.place)
        while true {
            let devices = try tables.devices.members(ofUser: row.target.id, after: place, limit: 16)
            for device in devices where directory.tree.isBelow(device.membership.organisation.index, org) {
                try join(device, row, at: now)
            }
            budget.take(StepBudget.count * devices.count)
            guard devices.count == 16, let last = devices.last else { return true }
            place = last.ordinal
            if budget.isSpent {
                followUps.move(to: UInt64(place))
                return false
            }
        }
    }

    // MARK: Withdrawing

    /// Rows of a page, at most.
    private static let page = 64

    /// Marks what was pending for a device before the change as withdrawn. `place`: the position up to which it has looked.
    private func withdraw(
        _ ordinal: UInt32, _ followUp: FollowUp, at now: Int64, where isConcerned: (StoredRow) -> Bool
    ) throws(SQLiteError) -> Bool {
        let pending = PendingQuery(tables: tables, view: log.view, now: now, end: followUp.position)
        let settled = Set(try facts.cursors.positionsBeyond(ordinal))
        var place = max(followUp.place, try facts.cursors.cursor(of: ordinal))
        while place + 1 < followUp.position {
            let limit = min(max(1, budget.left / (StepBudget.row + StepBudget.write)), Self.page)
            guard let page = try pending.rows(for: ordinal, after: place, limit: limit, looking: limit) else { return true }
            budget.take(StepBudget.row + page.looked * StepBudget.row)
            for (seq, _, row) in page.rows where !settled.contains(seq) && isConcerned(row) {
                budget.take(StepBudget.write)
                _ = try faults.spare("a withdrawal is not counted") { () throws(SQLiteError) in
                    try facts.receipts.settle(.withdrawn, ordinal, at: row.seq, now: now)
                }
            }
            place = page.lookedUpTo
            if budget.isSpent {
                followUps.move(to: place)
                return false
            }
        }
        return true
    }
}
