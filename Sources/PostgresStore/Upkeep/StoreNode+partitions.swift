internal import Postgres
internal import Push
internal import StoreCore

// The log's partitions: made ahead, and dropped when all their messages are due.

/// A partition that is to be dropped, and how far what has to stay of it is copied (see partitions.sql).
private struct OldPartition {
    let first: Int64
    let after: Int64
    let run: Int64
    /// Up to which position ends of tasks are made up for.
    var ends: Int64
}

/// Whether the log has a partition to go on in.
enum LogRoom: Int32 {
    case isThere = 0
    case wasMade = 1
    /// Somebody reads the log for so long that it was left as it is: others have to wait while it is tried.
    case isBarred = 2
    /// Positions have jumped into the last one, and too many have followed: its rows go one by one when they are due.
    case isTooFull = 3
    /// Nobody has answered.
    case isUnknown = -1
}

extension StoreNode {
    /// Rows that one call looks at.
    private static let kept: Int32 = 200
    /// What one call removes of what belongs to a partition's tasks.
    private static let parts: Int32 = 1_000
    /// Positions behind which one call makes up for ends.
    private static let ends: Int32 = 1_000
    /// What `drop_partition_1` tells where it has done it.
    private static let dropped: Int32 = 1

    /// Makes the next partition, where the log comes near to its end.
    @discardableResult
    func extendLog() async -> LogRoom {
        let size = options.partitionSize
        let outcome = await timely(lane, Statements.extendLog) { $0.append(int8: size) }
        guard case .rows(let rows) = outcome, let room = ((try? rows.int4(0, 0)) ?? nil).flatMap({ LogRoom(rawValue: $0) }) else {
            if case .failed(let error) = outcome { tellSeldom("the log cannot be extended", of: error.state, "\(error)") }
            return .isUnknown
        }
        switch room {
        case .isThere, .wasMade: hasJumped = false
        case .isTooFull:
            tellSeldom("the log's last partition is too full to be ended", "its rows go one by one when they are due")
        case .isBarred, .isUnknown: break
        }
        return room
    }

    /// For how many looks that would be due nobody needs to try again. Where positions have jumped into the last partition it is
    /// to be ended before much is in it.
    func rest(after room: LogRoom) -> Int {
        switch room {
        case .isThere, .wasMade, .isUnknown: 0
        case .isBarred: hasJumped ? 4 : 40
        case .isTooFull: 40
        }
    }

    /// Drops the oldest partitions whose time is over.
    func dropPartitions() async throws(PostgresShapeError) {
        while var partition = try await oldPartition() {
            guard try await keepRows(of: partition), try await forgetParts(of: partition),
                try await keepEnds(of: &partition), try await drop(partition)
            else { return }
        }
    }

    private func oldPartition() async throws(PostgresShapeError) -> OldPartition? {
        let lifetime = options.taskRetention
        guard let found = await slice(Statements.oldPartition, { $0.append(int8: lifetime) }), found.count == 1 else {
            return nil
        }
        let (first, after) = (try found.present8(0, 0), try found.present8(0, 1))
        guard let begun = await slice(Statements.beginKeeping, { $0.append(int8: after) }), begun.count == 1 else { return nil }
        return OldPartition(first: first, after: after, run: try begun.present8(0, 0), ends: try begun.present8(0, 1))
    }

    /// - Returns: whether all that has to stay is copied.
    private func keepRows(of partition: OldPartition) async throws(PostgresShapeError) -> Bool {
        let lifetime = options.taskRetention
        return try await steps(from: 0) { node, place in
            await node.slice(Statements.keepRows) { arguments in
                arguments.append(int8: partition.run)
                arguments.append(int8: lifetime)
                arguments.append(int8: place)
                arguments.append(int8: partition.after)
                arguments.append(int4: Self.kept)
            }
        }
    }

    /// What belongs to the tasks goes before them.
    /// - Returns: whether all of it is gone.
    private func forgetParts(of partition: OldPartition) async throws(PostgresShapeError) -> Bool {
        try await steps(from: partition.first) { node, place in
            await node.slice(Statements.forgetParts) { arguments in
                arguments.append(int8: partition.run)
                arguments.append(int8: place)
                arguments.append(int8: partition.after)
                arguments.append(int4: Self.parts)
            }
        }
    }

    /// Makes the same step from place to place.
    /// - Returns: whether there is nothing left; otherwise it is begun anew with another sweep.
    private func steps(
        from first: Int64, _ step: (isolated StoreNode, Int64) async -> PostgresRows?
    ) async throws(PostgresShapeError) -> Bool {
        var place = first
        while let rows = await step(self, place), try rows.bool(0, 0) == false {
            guard let next = try rows.int8(0, 1) else { return true }
            place = next
        }
        return false
    }

    /// Makes up for what has ended since it was copied.
    private func keepEnds(of partition: inout OldPartition) async throws(PostgresShapeError) -> Bool {
        while true {
            let (run, place, after) = (partition.run, partition.ends, partition.after)
            let found = await slice(Statements.keepEnds) { arguments in
                arguments.append(int8: run)
                arguments.append(int8: place)
                arguments.append(int8: after)
                arguments.append(int4: Self.ends)
            }
            guard let rows = found, try rows.bool(0, 0) == false else { return false }
            partition.ends = try rows.present8(0, 1)
            if try rows.bool(0, 2) != true { return true }
        }
    }

    private func drop(_ partition: OldPartition) async throws(PostgresShapeError) -> Bool {
        let outcome = await timely(lane, Statements.dropPartition) { arguments in
            arguments.append(int8: partition.run)
            arguments.append(int8: partition.ends)
            arguments.append(int8: partition.first)
            arguments.append(int8: partition.after)
        }
        guard case .rows(let rows) = outcome else {
            options.log("the log's oldest partition cannot be dropped: \(outcome.reason)")
            return false
        }
        return try rows.int4(0, 0) == Self.dropped
    }
}
