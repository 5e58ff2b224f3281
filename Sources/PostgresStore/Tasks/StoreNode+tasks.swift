internal import Base
internal import Postgres
internal import Push
internal import StoreCore

// What became of tasks, and recalling them.

extension StoreNode {
    /// How many bytes one answer about tasks may have: the bitmaps of many devices.
    static let mostBytesOfTasks = 64 << 20

    func report(_ task: TaskID, to app: AppKey?, within scope: OrgID? = nil) async throws(StoreError) -> TaskReport {
        try await find(task, of: app, within: scope).report(as: task, isOfOperator: app == nil)
    }

    /// Returns when no loop of any node hands the task to a connection any more.
    func cancel(_ task: TaskID, by app: AppKey?) async throws(StoreError) -> TaskStatus {
        let found = try await find(task, of: app)
        guard found.status == .active else { return try await whenApplied(found.status, isOld: isLongKnown(found)) }
        let rows = try await askTimely(lane, Statements.cancel) { arguments in
            arguments.append(int8: Int64(bitPattern: found.row.seq))
            arguments.append(int8: nil)
            arguments.append(audit: [])
        }
        // Somebody was faster.
        guard let position = try? rows.position(0, 0) else {
            return try await whenApplied(try await report(task, to: app).status)
        }
        bell.ring()
        try await untilApplied(position)
        return .cancelled
    }

    /// What a task has ended with before, told when its end is everywhere: the call that has ended it may still wait for that, or
    /// have been answered by nobody.
    func whenApplied(_ status: TaskStatus, isOld: Bool = false) async throws(StoreError) -> TaskStatus {
        if status == .cancelled, !isOld {
            try await untilAtStandby()
            try await untilApplied(nil)
        }
        return status
    }

    /// Until what was seen is at the standby: for who answers that something was done before, and writes nothing. Whoever did it
    /// may have been told that nobody knows, and a primary that has crashed shows what no standby has.
    func untilAtStandby() async throws(StoreError) {
        _ = try result(await own.call(PostgresCall(Statements.awaitStandby, deadline: options.patience)))
    }

    /// Whether a task ended so long ago that every node knows: one that does not follow the log has no lease by then.
    func isLongKnown(_ found: FoundTask) -> Bool { found.row.endedAt.map { $0 + 20_000 < found.now } ?? false }

    /// Until every node that lives has told its loops what stands there, and they have applied it.
    /// - Parameter position: where; `nil`: all that stands in the log now.
    /// - Throws: `unknown` where nobody can tell in bounded time: what they wait for is done, and stays.
    func untilApplied(_ position: UInt64?) async throws(StoreError) {
        let latest = ContinuousClock.now + Self.longestUntilApplied
        var position = position
        while !isClosing, ContinuousClock.now < latest {
            if case .rows(let rows) = await askApplied() {
                let needed = position ?? (try? rows.position(0, 1)) ?? .max
                position = needed
                // Nobody lives: nobody delivers.
                guard let slowest = (try? rows.int8(0, 0)) ?? nil, UInt64(bitPattern: slowest) < needed else { return }
            }
            await appliedBell.wait(atMost: options.pause)
        }
        throw .unknown
    }

    /// How far the slowest node is, and the log: asked after this was called, by one call for all that wait for it.
    private func askApplied() async -> PostgresOutcome {
        let before = appliedCalls.begun
        while appliedCalls.ended <= before {
            if appliedCalls.ended < appliedCalls.begun {
                if isClosing { return .unavailable(.notReady(nil)) }
                await appliedCalls.bell.wait(atMost: options.pause)
                continue
            }
            appliedCalls.begun += 1
            appliedCalls.outcome = await timely(own, Statements.applied, { _ in })
            appliedCalls.ended = appliedCalls.begun
            appliedCalls.bell.ring()
        }
        return appliedCalls.outcome
    }

    /// A node that does not apply the log has lost its lease long before.
    private static let longestUntilApplied = Duration.seconds(15)

    /// What was acknowledged here before is counted.
    /// - Throws: `refused` with 2204 where there is no such task, it is not the app's, or it is not inside of the scope.
    func find(_ task: TaskID, of app: AppKey?, within scope: OrgID? = nil) async throws(StoreError) -> FoundTask {
        guard isServing else { throw .unavailable(retryAfter: retryAfter) }
        await writeFacts()
        let missing = StoreError.refused(Refusal(.noSuchTask, field: "task_id"))
        guard let seq = directory.tasks.position(of: task) else { throw missing }
        var arguments = argumentsOfNow()
        arguments.append(int8Array: [Int64(bitPattern: seq)])
        arguments.append(name: app?.text)
        arguments.append(name: scope?.text)
        let rows = try await read(Statements.tasks, arguments, mostBytes: Self.mostBytesOfTasks)
        guard rows.count == 1 else { throw missing }
        let found = try decoded { () throws(PostgresShapeError) in try FoundTask(rows, 0) }
        // Its time is over, whether or not a sweep has come to it.
        if found.isOver(after: options.taskRetention) { throw missing }
        return found
    }
}
