internal import Postgres
internal import Push
internal import StoreCore

// What several nodes were told of a task becomes one row a bitmap, when nothing of it is on its way any more.

/// Rows of one bitmap of a task, each of another node's.
private struct Parts {
    let task: Int64
    let mark: Int32
    let chunk: Int32
    var nodes: [(node: Int32, rowVersion: Int64)] = []
    /// What they say together; `nil` for the device of a unicast.
    var union: OrdinalSet?
}

extension StoreNode {
    /// Rows of receipts that one call looks at, and about how many it folds: of one task up to eight times as many. A bitmap has
    /// 8 KiB at most.
    private static let (looked, folded): (Int32, Int32) = (10_000, 500)
    private static let bytesFolded = 64 << 20
    /// Calls of one sweep. What is left is folded by the next one.
    private static let mostFolds = 1_000

    /// Folds what has come to its end since the last sweep.
    func foldReceipts() async throws(PostgresShapeError) {
        for _ in 0..<Self.mostFolds {
            let found = await slice(Statements.foldable, mostBytes: Self.bytesFolded) { arguments in
                arguments.append(int4: Self.looked)
                arguments.append(int4: Self.folded)
            }
            guard let rows = found, rows.count > 0 else { return }
            let place = try rows.present8(rows.count - 1, 0)
            let parts = try parts(of: rows)
            if rows.count > 1, await slice(Statements.fold, { fill(&$0, parts, upTo: place) }) == nil { return }
        }
    }

    /// They come in their order. A bitmap that nobody can read stays as it is, with all its parts.
    private func parts(of rows: PostgresRows) throws(PostgresShapeError) -> [Parts] {
        var all: [Parts] = []
        var unreadable: Set<Int> = []
        for row in 0..<rows.count - 1 {
            let (task, mark, chunk) = (try rows.present8(row, 0), try rows.present4(row, 1), try rows.present4(row, 2))
            if all.last.map({ ($0.task, $0.mark, $0.chunk) != (task, mark, chunk) }) ?? true {
                all.append(Parts(task: task, mark: mark, chunk: chunk))
            }
            let last = all.count - 1
            all[last].nodes.append((try rows.present4(row, 3), try rows.present8(row, 4)))
            guard let bits = try rows.bytea(row, 5) else { continue }
            guard let set = OrdinalSet(serialized: bits) else {
                options.log("the receipts of the task at position \(task) cannot be read: pspctl store check")
                unreadable.insert(last)
                continue
            }
            if let union = all[last].union { union.formUnion(set) } else { all[last].union = set }
        }
        return all.indices.filter { !unreadable.contains($0) }.map { all[$0] }
    }

    private func fill(_ arguments: inout PostgresArguments, _ parts: [Parts], upTo place: Int64) {
        arguments.append(int8: place)
        arguments.append(each: parts, int8: { $0.task })
        arguments.append(each: parts, int4: { $0.mark })
        arguments.append(each: parts, int4: { $0.chunk })
        arguments.append(each: parts, bytea: { $0.union?.serialized })
        let former = parts.enumerated().flatMap { index, part in part.nodes.map { (of: Int32(index + 1), row: $0) } }
        arguments.append(each: former, int4: { $0.of })
        arguments.append(each: former, int4: { $0.row.node })
        arguments.append(each: former, int8: { $0.row.rowVersion })
    }
}
