internal import Postgres
internal import Push
internal import StoreCore

/// A configuration that may be joined.
struct JoinableTask {
    let row: StoredRow
    /// That it has not ended.
    let isOpen: Bool
}

/// Current configurations that are looked for: of a target, or of apps with a scope.
struct ConfigurationsAsked {
    let after: Int64
    var kind = TargetKey.Kind.organisation
    var name = ""
    var within: UInt32?
}

// What a slice of jobs is decided by. `nil`: the database did not answer.

extension StoreNode {
    /// Devices with everything that is known of their past.
    func histories(of ordinals: [Int64]) async throws(PostgresShapeError) -> [UInt32: MembershipHistory]? {
        guard !ordinals.isEmpty else { return [:] }
        var arguments = PostgresArguments()
        arguments.append(int8Array: ordinals)
        arguments.append(int8Array: ordinals.map { _ in 0 })
        guard let rows = lookedUp(await reads.call(PostgresCall(Statements.histories, arguments, deadline: options.patience)))
        else { return nil }
        var found: [UInt32: MembershipHistory] = [:]
        for row in 0..<rows.count {
            let history = try MembershipHistory(rows, row)
            found[history.ordinal] = history
        }
        return found
    }

    /// Of each of what was asked for as many as `limit`, oldest first.
    func configurations(
        _ asked: [ConfigurationsAsked], before: UInt64, limit: Int32
    ) async throws(PostgresShapeError) -> [(index: Int, entry: CurrentConfiguration)]? {
        var arguments = PostgresArguments()
        arguments.append(int4Array: asked.indices.map { Int32($0) })
        arguments.append(each: asked, int4: { Int32($0.kind.rawValue) })
        arguments.append(each: asked, text: { $0.name })
        arguments.append(each: asked, int4: { $0.within.map { Int32(bitPattern: $0) } })
        arguments.append(each: asked, int8: { $0.after })
        arguments.append(int8: Int64(bitPattern: before))
        arguments.append(int4: limit)
        let call = PostgresCall(
            Statements.configurations, arguments, deadline: options.patience, mostRows: asked.count * Int(limit),
            mostBytes: 64 << 20)
        guard let rows = lookedUp(await reads.call(call)) else { return nil }
        return try (0..<rows.count).map { row throws(PostgresShapeError) in
            let entry = CurrentConfiguration(
                seq: try rows.position(row, 1), kind: TargetKey.Kind(rawValue: Int64(try rows.present4(row, 2))) ?? .organisation,
                name: try rows.name(row, 3) ?? "", testOnly: try rows.bool(row, 4) ?? false,
                within: try rows.int4(row, 5).map { UInt32(bitPattern: $0) })
            return (Int(try rows.present4(row, 0)), entry)
        }
    }

    /// Those of each device's targets, whatever it was before, by the number of its job; so many at most that are known to be the
    /// oldest.
    func configurations(
        for jobs: [Job], _ histories: [UInt32: MembershipHistory]
    ) async throws(PostgresShapeError) -> [Int: [CurrentConfiguration]]? {
        var users: Set<Int64> = []
        for history in histories.values { if let user = history.users.last { users.insert(user.value) } }
        guard let names = try await names(of: users) else { return nil }
        var asked: [ConfigurationsAsked] = []
        var owners: [Int] = []
        for (index, job) in jobs.enumerated() {
            guard let history = histories[UInt32(truncatingIfNeeded: job.subject)], history.retired == MembershipHistory.forever
            else { continue }
            var targets = [ConfigurationsAsked(after: job.place, kind: .device, name: history.token)]
            if let user = history.users.last, let name = names[user.value] {
                targets.append(.init(after: job.place, kind: .user, name: name))
            }
            let org = history.membership(after: job.position).organisation.index
            for org in directory.tree.path(of: org) {
                if let node = directory.tree[org] {
                    targets.append(.init(after: job.place, kind: .organisation, name: node.id.text))
                }
            }
            asked += targets
            owners += targets.map { _ in index }
        }
        let limit: Int32 = 64
        guard let first = jobs.first, let found = try await configurations(asked, before: first.position, limit: limit) else {
            return nil
        }
        var entries: [Int: [CurrentConfiguration]] = [:]
        for (index, entry) in found { entries[owners[index], default: []].append(entry) }
        return entries.mapValues { Array($0.sorted { $0.seq < $1.seq }.prefix(Int(limit))) }
    }

    private func names(of users: Set<Int64>) async throws(PostgresShapeError) -> [Int64: String]? {
        guard !users.isEmpty else { return [:] }
        var arguments = PostgresArguments()
        arguments.append(int8Array: Array(users))
        guard let rows = lookedUp(await reads.call(PostgresCall(Statements.holders, arguments))) else { return nil }
        var names: [Int64: String] = [:]
        for row in 0..<rows.count { names[try rows.present8(row, 0)] = try rows.name(row, 1) }
        return names
    }

    /// Tasks by their positions.
    func joinable(_ tasks: [UInt64]) async throws(PostgresShapeError) -> [UInt64: JoinableTask]? {
        guard !tasks.isEmpty else { return [:] }
        let outcome = await timely(reads, Statements.audiences) { arguments in
            arguments.append(int8Array: tasks.map { Int64(bitPattern: $0) })
        }
        guard let rows = lookedUp(outcome) else { return nil }
        var found: [UInt64: JoinableTask] = [:]
        for row in 0..<rows.count {
            let stored = StoredRow(
                seq: try rows.position(row, 0), kind: StoredRow.Kind(rawValue: Int64(try rows.present4(row, 1))) ?? .message,
                target: TargetKey(raw: try rows.present8(row, 2)), flags: Int64(try rows.present4(row, 3)),
                within: try rows.int4(row, 4).map { UInt32(bitPattern: $0) })
            found[stored.seq] = JoinableTask(row: stored, isOpen: try rows.bool(row, 5) ?? false)
        }
        return found
    }

    /// The store's own marks of some tasks, where they tell of some devices.
    func marks(of pairs: [(task: UInt64, ordinal: UInt32)]) async throws(PostgresShapeError) -> MarkBook? {
        struct Chunk: Hashable {
            let task: UInt64
            let chunk: Int32
        }
        var book = MarkBook()
        guard !pairs.isEmpty else { return book }
        var chunks: Set<Chunk> = []
        for pair in pairs {
            chunks.insert(Chunk(task: pair.task, chunk: Int32(pair.ordinal >> 16)))
            chunks.insert(Chunk(task: pair.task, chunk: MarkBook.only))
        }
        let all = Array(chunks)
        var arguments = PostgresArguments()
        arguments.append(each: all, int8: { Int64(bitPattern: $0.task) })
        arguments.append(each: all, int4: { $0.chunk })
        let call = PostgresCall(
            Statements.marks, arguments, deadline: options.patience, mostRows: 3 * all.count, mostBytes: 64 << 20)
        guard let rows = lookedUp(await reads.call(call)) else { return nil }
        for row in 0..<rows.count {
            guard let mark = TaskReceipts.Mark(rawValue: Int64(try rows.present4(row, 1))) else { continue }
            let key = JobSlice.MarkKey(task: try rows.position(row, 0), mark: mark, chunk: try rows.present4(row, 2))
            book.read(key, try rows.bytea(row, 3))
        }
        return book
    }
}

extension StoredRow {
    /// A row as far as it decides whom it is for.
    init(seq: UInt64, kind: Kind, target: TargetKey, flags: Int64, within: UInt32?) {
        self.init(
            seq: seq, kind: kind, app: 0, target: target, flags: flags, within: within, created: 0, expires: nil, payload: [],
            body: 0..<0, display: nil, tag: nil, version: nil, targeted: 0, skipped: 0, description: nil)
    }
}
