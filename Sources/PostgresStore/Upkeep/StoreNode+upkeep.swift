internal import Postgres
internal import Push
internal import StoreCore

// What is forgotten, a little at a time: by whichever node looks first when it is time.

extension StoreNode {
    /// Rows of the log that one slice looks at.
    private static let rows: Int32 = 200
    /// Slices of them that one sweep does, though the next one is due meanwhile.
    private static let fewestSlices = 1_000
    /// Intervals, or nonces, that one slice removes.
    private static let others: Int32 = 500
    /// Devices that one slice removes.
    private static let devices: Int32 = 100
    /// Between two slices.
    private static let slicePause = Duration.milliseconds(20)
    /// Between two looks whether there is still something to do for a change of the directory.
    private static let jobPause = Duration.milliseconds(100)
    /// Kinds of intervals that end (`forget_past_1`).
    private static let pasts: ClosedRange<Int32> = 0...3

    /// Looks for what is to be forgotten, if it is time and no other node does. What cannot be done is done when it is time
    /// again.
    func sweepIfDue() async {
        guard !isClosing, !isSweeping, number != 0, clock.now >= nextSweep else { return }
        isSweeping = true
        defer { isSweeping = false }
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
        var place = try rows.present8(0, 0)
        let end = try rows.present8(0, 1)
        try await dropPartitions()
        // What is left when the next sweep is due is looked at by that one, which begins where this one has ended.
        var slices = 0
        while slices < Self.fewestSlices || clock.now < nextSweep {
            slices += 1
            let found = await slice(Statements.forgetTasks) { arguments in
                arguments.append(int8: lifetime)
                arguments.append(int8: place)
                arguments.append(int8: end)
                arguments.append(int4: Self.rows)
            }
            guard let rows = found, let last = try rows.int8(0, 0) else { break }
            place = last
        }
        for past in Self.pasts { try await forget(past, before: end) }
        while let rows = await slice(Statements.forgetOthers, over: lane, { $0.append(int4: Self.others) }) {
            if try rows.bool(0, 0) != true { break }
        }
        try await foldReceipts()
    }

    private func forget(_ past: Int32, before end: Int64) async throws(PostgresShapeError) {
        var place: Int64 = 0
        while true {
            // Devices go with the lane.
            let isOfDevices = past == Self.pasts.upperBound
            let found = await slice(Statements.forgetPast, over: isOfDevices ? lane : reads) { arguments in
                arguments.append(int4: past)
                arguments.append(int8: place)
                arguments.append(int8: end)
                arguments.append(int4: isOfDevices ? Self.devices : Self.others)
            }
            guard let rows = found, let last = try rows.int8(0, 0) else { return }
            place = last
        }
    }

    /// A slice, when nothing follows from a change of the directory: that goes by intervals and references that may be due.
    /// - Returns: `nil` where the rest is left to the next sweep.
    func slice(
        _ statement: PostgresStatement, over connection: PostgresConnection? = nil, mostBytes: Int = 8 << 20,
        _ fill: (inout PostgresArguments) -> Void
    ) async -> PostgresRows? {
        await watchBell.wait(atMost: Self.slicePause)
        while !isClosing, await hasJobs() { await watchBell.wait(atMost: Self.jobPause) }
        if isClosing { return nil }
        let outcome = await timely(connection ?? reads, statement, mostBytes: mostBytes, fill)
        if case .rows(let rows) = outcome { return rows }
        if !isClosing { options.log("what is old cannot be forgotten now: \(outcome.reason)") }
        return nil
    }
}
