internal import Postgres
internal import Push
internal import StoreCore

// What is forgotten, a little at a time: by whichever node looks first when it is time.

extension StoreNode {
    /// Rows of the log that one slice looks at.
    private static let rows: Int32 = 200
    /// Slices of them that one sweep does.
    private static let mostSlices = 1_000
    /// Intervals, or nonces, that one slice removes.
    private static let others: Int32 = 500
    /// Between two slices.
    private static let slicePause = Duration.milliseconds(20)
    /// Kinds of intervals that end (`forget_past_1`).
    private static let pasts: ClosedRange<Int32> = 0...3

    /// Looks for what is to be forgotten, if it is time and no other node does. What cannot be done is done when it is time
    /// again.
    func sweepIfDue() async {
        guard !isClosing, number != 0, clock.now >= nextSweep else { return }
        let interval = options.sweepInterval
        nextSweep = clock.now + interval
        let outcome = await timely(reads, Statements.beginSweep) { $0.append(int8: interval) }
        guard case .rows(let rows) = outcome, (try? rows.bool(0, 0)) == true else { return }
        do throws(PostgresShapeError) { try await sweep() } catch { options.log("what is old cannot be forgotten: \(error)") }
    }

    private func sweep() async throws(PostgresShapeError) {
        let lifetime = options.taskRetention
        let range = await timely(reads, Statements.sweepRange) { $0.append(int8: lifetime) }
        guard case .rows(let rows) = range else { return }
        let end = try rows.present8(0, 0)
        try await dropPartitions()
        var place: Int64 = 0
        // Of more than so many the partition is dropped as a whole, some days later.
        var slices = 0
        while slices < Self.mostSlices,
            case .rows(let rows) = await slice({ node in
                await node.timely(node.reads, Statements.forgetTasks) { arguments in
                    arguments.append(int8: lifetime)
                    arguments.append(int8: place)
                    arguments.append(int8: end)
                    arguments.append(int4: Self.rows)
                }
            })
        {
            guard let last = try rows.int8(0, 0) else { break }
            place = last
            slices += 1
        }
        for past in Self.pasts { try await forget(past, before: end) }
        while case .rows(let rows) = await slice({ node in
            await node.timely(node.lane, Statements.forgetOthers) { $0.append(int4: Self.others) }
        }) {
            if try rows.bool(0, 0) != true { break }
        }
    }

    private func forget(_ past: Int32, before end: Int64) async throws(PostgresShapeError) {
        var place: Int64 = 0
        while case .rows(let rows) = await slice({ node in
            var arguments = PostgresArguments()
            arguments.append(int4: past)
            arguments.append(int8: place)
            arguments.append(int8: end)
            arguments.append(int4: Self.others)
            return await node.reads.call(PostgresCall(Statements.forgetPast, arguments, deadline: node.options.patience))
        }) {
            guard let last = try rows.int8(0, 0) else { break }
            place = last
        }
    }

    /// A slice, when nothing follows from a change of the directory: that goes by intervals and references that may be due.
    /// - Returns: `nil` where the rest is left to the next sweep.
    func slice(_ call: (isolated StoreNode) async -> PostgresOutcome) async -> PostgresOutcome? {
        await watchBell.wait(atMost: Self.slicePause)
        guard !isClosing, !isFollowingUp else { return nil }
        return await call(self)
    }
}
