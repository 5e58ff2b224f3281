internal import Postgres
internal import Push
internal import StoreCore

// Who joins current configurations by a change of the directory, and gets them.

extension StoreNode {
    /// Devices of a subtree that one slice counts.
    private static let devices = 500
    /// Organisations whose devices it looks at.
    private static let organisations = 64
    /// Configurations that are looked for at a time, of each target.
    private static let page: Int32 = 64

    // MARK: An organisation comes below others

    /// Finds the next configurations that an organisation's subtree joins by its move, and who of it joins each.
    func enter(_ job: Job) async throws(PostgresShapeError) -> JobSlice? {
        let tree = directory.tree
        let (org, former) = (UInt32(truncatingIfNeeded: job.subject), UInt32(truncatingIfNeeded: job.object))
        let before = Set(former == 0 ? [] : tree.path(of: former))
        // The organisation itself was above its subtree all the time.
        let joined = tree.path(of: org).dropFirst().filter { !before.contains($0) }
        var slice = JobSlice(job)
        guard !joined.isEmpty else { return slice }
        let asked = joined.flatMap { above in
            [ConfigurationsAsked(after: job.place, within: above)]
                + (tree[above].map { [ConfigurationsAsked(after: job.place, kind: .organisation, name: $0.id.text)] } ?? [])
        }
        guard let found = try await configurations(asked, before: job.position, limit: Self.page) else { return nil }
        let sorted = Dictionary(found.map { ($0.entry.seq, $0.entry) }) { first, _ in first }.values.sorted { $0.seq < $1.seq }
        // Each target has told as many as were asked for at most: beyond the last of these nobody knows.
        let next = sorted.prefix(Int(Self.page))
        for entry in next {
            guard let (kind, subject) = try await joining(entry, by: org) else { continue }
            slice.next.append(.init(position: job.position, kind: kind, subject: subject, object: Int64(bitPattern: entry.seq)))
        }
        if lookUpFailure != nil { return nil }
        if next.count == Self.page, let last = next.last {
            slice.next.append(
                .init(
                    position: job.position, kind: .enter, subject: job.subject, object: job.object,
                    place: Int64(bitPattern: last.seq)))
        }
        return slice
    }

    /// What is to be done for a configuration whose target, or whose scope, an organisation has come below.
    private func joining(
        _ entry: CurrentConfiguration, by org: UInt32
    ) async throws(PostgresShapeError) -> (Job.Kind, subject: Int64)? {
        let tree = directory.tree
        switch entry.kind {
        case .organisation:
            return tree.joining(OrgID(unchecked: entry.name), by: org).map { (.joinSubtree, Int64($0)) }
        case .user: return (.joinUser, Int64(org))
        case .device:
            var arguments = PostgresArguments()
            arguments.append(byteaArray: [Array(entry.name.utf8)])
            arguments.append(int8Array: [StableHash.of(entry.name)])
            guard let rows = lookedUp(await reads.call(PostgresCall(Statements.findDevices, arguments))), rows.count == 1,
                case let device = try FoundDevice(rows, 0), tree.isBelow(device.membership.organisation.index, org)
            else { return nil }
            return (.joinDevice, Int64(device.ordinal))
        }
    }

    /// `place`: the organisation and the device in it that were counted last, in the order of their numbers.
    func joinSubtree(_ job: Job) async throws(PostgresShapeError) -> JobSlice? {
        var slice = JobSlice(job)
        let org = UInt32(truncatingIfNeeded: job.subject)
        guard let tasks = try await joinable([UInt64(bitPattern: job.object)]) else { return nil }
        // One whose turn has begun is still counted for all, as if its end had come after the change.
        guard let task = tasks.first?.value, task.isOpen || job.place > 0, isTargetThere(of: task.row) else { return slice }
        let place = UInt64(bitPattern: job.place)
        let (reached, device) = (UInt32(truncatingIfNeeded: place >> 32), UInt32(truncatingIfNeeded: place))
        let left = directory.tree.descendants(of: org).sorted().filter { $0 >= reached }.prefix(Self.organisations)
        var arguments = PostgresArguments()
        arguments.append(int4Array: left.map { Int32(bitPattern: $0) })
        arguments.append(int8Array: left.map { $0 == reached ? Int64(device) : 0 })
        arguments.append(int4: Int32(Self.devices))
        guard let rows = lookedUp(await reads.call(PostgresCall(Statements.members, arguments, deadline: options.patience)))
        else { return nil }
        let histories = try (0..<rows.count).map { row throws(PostgresShapeError) in try MembershipHistory(rows, row) }
        guard var book = try await marks(of: histories.map { (task.row.seq, $0.ordinal) }) else { return nil }
        for history in histories { _ = count(history, in: task.row, &book, at: job.position) }
        slice.marks = book.changes
        if histories.count == Self.devices, let last = histories.last {
            let org = last.membership(after: job.position).organisation.index
            slice.goOn(from: Int64(bitPattern: UInt64(org) << 32 | UInt64(last.ordinal)))
        } else if left.count == Self.organisations, let last = left.last {
            slice.goOn(from: Int64(bitPattern: UInt64(last) << 32 | UInt64(UInt32.max)))
        } else {
            slice.references = [.init(task: task.row.seq, target: .organisation(org), within: task.row.within)]
        }
        return slice
    }

    // MARK: Devices that join

    /// `place`: the last device that was counted.
    func joinUser(_ job: Job) async throws(PostgresShapeError) -> JobSlice? {
        var slice = JobSlice(job)
        guard let tasks = try await joinable([UInt64(bitPattern: job.object)]) else { return nil }
        guard let task = tasks.first?.value else { return slice }
        var arguments = PostgresArguments()
        arguments.append(int8: task.row.target.id)
        arguments.append(int8: job.place)
        arguments.append(int4: Self.page)
        guard let rows = lookedUp(await reads.call(PostgresCall(Statements.devicesOf, arguments))) else { return nil }
        let ordinals = try (0..<rows.count).map { row throws(PostgresShapeError) in try rows.present8(row, 0) }
        guard let histories = try await histories(of: ordinals) else { return nil }
        let org = UInt32(truncatingIfNeeded: job.subject)
        let below = histories.values.filter {
            directory.tree.isBelow($0.membership(after: job.position).organisation.index, org)
        }
        try await join(below.sorted { $0.ordinal < $1.ordinal }.map { ($0, [task]) }, at: job.position, &slice)
        if ordinals.count == Self.page, let last = ordinals.last { slice.goOn(from: last) }
        return slice
    }

    func joinDevice(_ job: Job) async throws(PostgresShapeError) -> JobSlice? {
        var slice = JobSlice(job)
        guard let tasks = try await joinable([UInt64(bitPattern: job.object)]),
            let histories = try await histories(of: [job.subject])
        else { return nil }
        guard let task = tasks.first?.value, let history = histories.first?.value else { return slice }
        try await join([(history, [task])], at: job.position, &slice)
        return slice
    }

    /// `place`: the last configuration that was looked at, where it is one device.
    func enterAll(_ jobs: [Job]) async throws(PostgresShapeError) -> JobSlice? {
        var slice = JobSlice(ending: jobs)
        guard let histories = try await histories(of: jobs.map(\.subject)),
            let found = try await configurations(for: jobs, histories)
        else { return nil }
        var joined: [Int: [CurrentConfiguration]] = [:]
        for (index, entries) in found {
            guard let history = histories[UInt32(truncatingIfNeeded: jobs[index].subject)] else { continue }
            let membership = history.membership(after: jobs[index].position)
            let former = FormerMembership(number: UInt64(bitPattern: jobs[index].object))
            joined[index] = entries.filter { $0.isJoined(by: membership, formerly: former, directory.tree) }
        }
        // A slice writes a bounded number of references, and a device with more configurations than one look finds goes on alone.
        var count = 0
        let limit = jobs.indices.first { index in
            count += joined[index]?.count ?? 0
            return count > Self.page || found[index]?.count ?? 0 >= Self.page
        }
        if let limit, jobs.count > 1 { return try await enterAll(Array(jobs[..<max(1, limit)])) }
        guard let tasks = try await joinable(Set(joined.values.joined().map(\.seq)).sorted()) else { return nil }
        let joining = jobs.indices.compactMap { index -> (MembershipHistory, [JoinableTask])? in
            guard let history = histories[UInt32(truncatingIfNeeded: jobs[index].subject)] else { return nil }
            return (history, (joined[index] ?? []).compactMap { tasks[$0.seq] })
        }
        try await join(joining, at: jobs[0].position, &slice)
        if let last = found[0]?.last, found[0]?.count ?? 0 >= Self.page, jobs.count == 1 {
            slice.goOn(from: Int64(bitPattern: last.seq))
        }
        return slice
    }

    /// Gives devices current configurations of targets that they join, each in the order of the configurations.
    private func join(
        _ joining: [(MembershipHistory, [JoinableTask])], at position: UInt64, _ slice: inout JobSlice
    ) async throws(PostgresShapeError) {
        let pairs = joining.flatMap { history, tasks in tasks.map { ($0.row.seq, history.ordinal) } }
        guard var book = try await marks(of: pairs) else { throw .null }
        for (history, tasks) in joining {
            for task in tasks where task.isOpen && isTargetThere(of: task.row) {
                guard count(history, in: task.row, &book, at: position) == .recipient else { continue }
                slice.references.append(.init(task: task.row.seq, target: .device(history.ordinal), within: nil))
            }
        }
        slice.marks = book.changes
    }

    /// Counts a device of a configuration's target once in its task, if it is for the device.
    /// - Returns: what the configuration is to the device.
    private func count(
        _ history: MembershipHistory, in row: StoredRow, _ book: inout MarkBook, at position: UInt64
    ) -> Standing {
        let standing = row.audience.standing(of: history.membership(after: position), isBelow: directory.tree.isBelow)
        guard standing != .outside else { return .outside }
        let ordinal = history.ordinal
        let isCounted =
            book.has(.joined, ordinal, of: row.seq)
            || history.wasAddressed(by: row) { isBelow($0.index, $1.index, at: row.seq) }
        if isCounted {
            book.unwithdraw(ordinal, of: row)
        } else {
            book.insert(.joined, ordinal, of: row.seq)
            if standing == .leftOut { book.insert(.skipped, ordinal, of: row.seq) }
        }
        return standing
    }

    /// An organisation may be gone and another one bear its name, which is not its target.
    private func isTargetThere(of row: StoredRow) -> Bool {
        row.target.kind != .organisation || directory.tree[row.target.shortID] != nil
    }

    // MARK: Ends

    /// `place`: the last one that was looked at.
    func cancelAll(_ job: Job) async throws(PostgresShapeError) -> JobSlice? {
        var slice = JobSlice(job)
        var arguments = PostgresArguments()
        arguments.append(int4Array: [Int32(truncatingIfNeeded: job.subject)])
        guard let rows = lookedUp(await reads.call(PostgresCall(Statements.organisations, arguments))) else { return nil }
        guard rows.count == 1, let name = try rows.name(0, 1) else { return slice }
        let asked = ConfigurationsAsked(after: job.place, kind: .organisation, name: name)
        guard let found = try await configurations([asked], before: MembershipHistory.forever, limit: Self.page) else {
            return nil
        }
        slice.cancelled = found.map(\.entry.seq)
        if found.count == Self.page, let last = slice.cancelled.max() { slice.goOn(from: Int64(bitPattern: last)) }
        return slice
    }
}
