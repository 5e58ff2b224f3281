internal import Postgres
internal import Push
internal import StoreCore

// The log's partitions: made ahead, and dropped when all their messages are due.

extension StoreNode {
    /// What one call removes of what belongs to a partition's tasks.
    private static let parts: Int32 = 1_000
    /// What became of it, as the functions tell.
    private enum Outcome {
        static let done: Int32 = 1
        static let tooMuch: Int32 = 3
    }

    /// Makes the next partition, where the log comes near to its end.
    func extendLog() async {
        let size = options.partitionSize
        guard case .rows(let rows) = await timely(lane, Statements.extendLog, { $0.append(int8: size) }) else { return }
        // Rows that are due go one by one then.
        if (try? rows.int4(0, 0)) == Outcome.tooMuch {
            options.log("the log's last partition is too full to be ended: it is not dropped as a whole")
        }
    }

    /// Drops the oldest partitions whose time is over.
    func dropPartitions() async throws(PostgresShapeError) {
        let lifetime = options.taskRetention
        while case .rows(let rows) = await slice({ node in
            await node.timely(node.reads, Statements.oldPartition) { $0.append(int8: lifetime) }
        }), rows.count == 1 {
            let (first, after) = (try rows.present8(0, 0), try rows.present8(0, 1))
            guard try await forgetParts(from: first, before: after) else { return }
            let outcome = await timely(lane, Statements.dropPartition) { arguments in
                arguments.append(int8: lifetime)
                arguments.append(int8: first)
                arguments.append(int8: after)
            }
            guard case .rows(let rows) = outcome, try rows.int4(0, 0) == Outcome.done else { return }
        }
    }

    /// What belongs to the tasks goes before them.
    /// - Returns: whether all of it is gone.
    private func forgetParts(from first: Int64, before after: Int64) async throws(PostgresShapeError) -> Bool {
        let lifetime = options.taskRetention
        while case .rows(let rows) = await slice({ node in
            await node.timely(node.reads, Statements.forgetParts) { arguments in
                arguments.append(int8: lifetime)
                arguments.append(int8: first)
                arguments.append(int8: after)
                arguments.append(int4: Self.parts)
            }
        }) {
            if try rows.bool(0, 0) != true { return true }
        }
        return false
    }
}
