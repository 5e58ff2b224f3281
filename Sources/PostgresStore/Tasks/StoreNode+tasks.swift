internal import Base
internal import Postgres
internal import Push
internal import StoreCore

// What became of tasks, and recalling them.

extension StoreNode {
    /// A task's row with what is counted of it, as of one moment.
    struct FoundTask {
        let row: StoredRow
        let receipts: TaskReceipts
        let app: AppKey
        let target: PushRequest.Target
        let origin: PushRequest.Origin?
        /// In store time.
        let now: Int64
    }

    func report(_ task: TaskID, to app: AppKey?) async throws(StoreError) -> TaskReport {
        let found = try await find(task, of: app)
        let row = found.row
        return TaskReport(
            task: task, app: found.app, interface: row.interface, target: found.target, payload: row.payload,
            testOnly: row.isTestOnly, description: row.description, tag: row.tag, createdAt: row.createdAt,
            expireAt: row.expireAt,
            status: found.receipts.status(of: row, at: found.now), counts: found.receipts.counts(of: row, at: found.now),
            origin: app == nil ? found.origin : nil)
    }

    /// Returns when no loop of any node hands the task to a connection any more.
    func cancel(_ task: TaskID, by app: AppKey?) async throws(StoreError) -> TaskStatus {
        let found = try await find(task, of: app)
        let status = found.receipts.status(of: found.row, at: found.now)
        guard status == .active else { return status }
        let rows = try result(
            await timely(lane, Statements.cancel, { $0.append(int8: Int64(bitPattern: found.row.seq)) }))
        // Somebody was faster.
        guard let position = try? rows.position(0, 0) else { return try await report(task, to: app).status }
        bell.ring()
        try await untilApplied(position)
        return .cancelled
    }

    /// Until every node that lives has told its loops what stands there, and they have applied it.
    func untilApplied(_ position: UInt64) async throws(StoreError) {
        while !isClosing {
            let rows = try result(await timely(own, Statements.applied, { _ in }))
            // Nobody lives: nobody delivers.
            guard let slowest = (try? rows.int8(0, 0)) ?? nil, UInt64(bitPattern: slowest) < position else { return }
            await appliedBell.wait(atMost: options.pause)
        }
        throw .unknown
    }

    func find(_ task: TaskID, of app: AppKey?) async throws(StoreError) -> FoundTask {
        await writeFacts()
        let missing = StoreError.refused(Refusal(.noSuchTask, field: "task_id"))
        guard let seq = directory.tasks.position(of: task) else { throw missing }
        var arguments = PostgresArguments()
        arguments.append(int8: time.now(at: options.boot()))
        arguments.append(int8: Int64(bitPattern: seq))
        arguments.append(bytea: app.map { Array($0.text.utf8) })
        let rows = try await ask(reads, Statements.task, arguments)
        guard rows.count == 1 else { throw missing }
        let found: FoundTask
        do { found = try FoundTask(rows) } catch {
            options.log("a task cannot be read: \(error)")
            throw .unavailable(retryAfter: retryAfter)
        }
        // Its time is over, whether or not a sweep has come to it.
        if let end = found.row.endTime(completed: nil), end + options.taskRetention <= found.now { throw missing }
        return found
    }
}

extension StoreNode.FoundTask {
    /// The answer of `task_1`.
    init(_ rows: PostgresRows) throws(PostgresShapeError) {
        let key = TargetKey(raw: try rows.present8(0, 2))
        let payload = try rows.bytea(0, 9) ?? []
        row = StoredRow(
            seq: try rows.position(0, 0), kind: StoredRow.Kind(rawValue: Int64(try rows.present4(0, 1))) ?? .message,
            app: Int64(try rows.present4(0, 3)), target: key, flags: Int64(try rows.present4(0, 4)),
            within: try rows.int4(0, 5).map { UInt32(bitPattern: $0) }, created: try rows.present8(0, 6),
            expires: try rows.int8(0, 7),
            offset: try rows.int8(0, 8) ?? 0, payload: payload,
            body: Int(try rows.int4(0, 10) ?? 0)..<Int(try rows.int4(0, 11) ?? 0),
            display: try rows.int4(0, 12).map { DisplayType(number: Int64($0)) }, tag: try rows.name(0, 13).map { ExactText($0) },
            version: try rows.int8(0, 15), targeted: Int(try rows.present4(0, 16)), skipped: Int(try rows.present4(0, 17)),
            end: StoredRow.End(rawValue: Int64(try rows.present4(0, 18))) ?? .none, endedAt: try rows.int8(0, 19),
            description: try rows.name(0, 14))
        app = AppKey(unchecked: try rows.name(0, 22) ?? "")
        let name = try rows.name(0, 23) ?? ""
        target =
            switch key.kind {
            case .device: .device(DeviceToken(unchecked: name))
            case .user: .user(UserID(unchecked: name))
            case .organisation, nil: .organisation(OrgID(unchecked: name))
            }
        let client = try rows.bytea(0, 20).flatMap { IPAddress(stored: $0) }
        origin = try rows.name(0, 21).map { PushRequest.Origin(client: client, requestID: $0) }
        now = try rows.present8(0, 30)
        receipts = TaskReceipts(row)
        try count(rows)
    }

    /// Joins what the nodes have told. What a device is counted as where two have told otherwise: withdrawn before all, then
    /// delivered, rejected, left out.
    private func count(_ rows: PostgresRows) throws(PostgresShapeError) {
        var sets: [TaskReceipts.Mark: [Int32: OrdinalSet]] = [:]
        var only: Set<TaskReceipts.Mark> = []
        if var marks = try rows.array(0, 24, of: .int4), var chunks = try rows.array(0, 25, of: .int4),
            var bits = try rows.array(0, 26, of: .bytea)
        {
            for _ in 0..<marks.count {
                guard let number = try marks.int4(), let chunk = try chunks.int4() else { throw .null }
                let bytes = try bits.bytea()
                guard let mark = TaskReceipts.Mark(rawValue: Int64(number)) else { continue }
                guard let bytes else {
                    only.insert(mark)
                    continue
                }
                guard let set = OrdinalSet(serialized: bytes) else { throw .malformed(.bytea) }
                if let known = sets[mark]?[chunk] { known.formUnion(set) } else { sets[mark, default: [:]][chunk] = set }
            }
        }
        let order: [TaskReceipts.Mark] = [.withdrawn, .delivered, .rejected, .skipped]
        for (rank, mark) in order.enumerated() {
            for (chunk, set) in sets[mark] ?? [:] {
                for stronger in order[..<rank] { if let other = sets[stronger]?[chunk] { set.subtract(other) } }
                receipts.add(set.count, to: mark)
            }
            if only.contains(mark), only.isDisjoint(with: order[..<rank]) { receipts.add(1, to: mark) }
        }
        for set in (sets[.joined] ?? [:]).values { receipts.add(set.count, to: .joined) }
        receipts.counters.opened = Int(try rows.int8(0, 27) ?? 0)
        receipts.counters.applied = Int(try rows.int8(0, 28) ?? 0)
        receipts.counters.failed = Int(try rows.int8(0, 29) ?? 0)
    }
}
