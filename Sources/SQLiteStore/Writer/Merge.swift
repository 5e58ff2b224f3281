internal import Push

/// Fills the trailing indexes: a generation's entries, sorted, in slices, each a transaction, so that no push waits for all of them.
///
/// Between two slices the indexes hold a part of what the generation holds as well: each key's oldest. That is what readers of both
/// expect of a generation that was merged while they read, and what a start after a crash finds; a slice that is done again changes
/// nothing.
final class Merge {
    private let database: Database
    private var begun: Work?

    private struct Work {
        let generation: Generation
        let entries: Generation.Sorted
        var done = 0
    }

    /// Entries of a slice: about 10 ms with its commit where each dirties a page of its own.
    private static let slice = 2_048

    init(database: Database) { self.database = database }

    /// Merges a slice.
    /// - Returns: whether all of it is committed: the generation may be dropped then.
    func advance(_ generation: Generation) throws(SQLiteError) -> Bool {
        var work = begun ?? Work(generation: generation, entries: generation.sorted)
        if work.generation !== generation { work = Work(generation: generation, entries: generation.sorted) }
        begun = nil
        let end = min(work.done + Self.slice, work.entries.count)
        try database.statement("BEGIN").run()
        do {
            try insert(work.entries, work.done..<end)
            if end == work.entries.count, let last = work.entries.last {
                let mark = try database.statement("INSERT OR REPLACE INTO meta(key, value) VALUES('indexed_upto', ?)")
                mark.bind(1, last)
                try mark.run()
            }
            try database.statement("COMMIT").run()
        } catch {
            if database.inTransaction { try database.statement("ROLLBACK").run() }
            throw error
        }
        work.done = end
        guard end < work.entries.count else { return true }
        begun = work
        return false
    }

    /// Entries are numbered through: targets first, then `out_biz_no`, then tags.
    private func insert(_ entries: Generation.Sorted, _ range: Range<Int>) throws(SQLiteError) {
        let targets = entries.targets[range.clamped(to: 0..<entries.targets.count)]
        try insert(
            targets, columns: 2, one: try database.statement("INSERT OR IGNORE INTO target_index(target, seq) VALUES(?, ?)"),
            eight: try database.statement(
                """
                INSERT OR IGNORE INTO target_index(target, seq)
                VALUES(?, ?), (?, ?), (?, ?), (?, ?), (?, ?), (?, ?), (?, ?), (?, ?)
                """)
        ) { statement, column, entry in
            statement.bind(column, entry.target)
            statement.bind(column + 1, entry.seq)
        }
        var start = entries.targets.count
        let biz = entries.biz[range.moved(by: -start).clamped(to: 0..<entries.biz.count)]
        try insert(
            biz, columns: 3, one: try database.statement("INSERT OR IGNORE INTO biz_index(app, hash, seq) VALUES(?, ?, ?)"),
            eight: try database.statement(
                """
                INSERT OR IGNORE INTO biz_index(app, hash, seq)
                VALUES(?, ?, ?), (?, ?, ?), (?, ?, ?), (?, ?, ?), (?, ?, ?), (?, ?, ?), (?, ?, ?), (?, ?, ?)
                """)
        ) { statement, column, entry in
            statement.bind(column, entry.app)
            statement.bind(column + 1, entry.hash)
            statement.bind(column + 2, entry.seq)
        }
        start += entries.biz.count
        let tags = entries.tags[range.moved(by: -start).clamped(to: 0..<entries.tags.count)]
        try insert(
            tags, columns: 3, one: try database.statement("INSERT OR IGNORE INTO tag_index(app, tag, seq) VALUES(?, ?, ?)"),
            eight: try database.statement(
                """
                INSERT OR IGNORE INTO tag_index(app, tag, seq)
                VALUES(?, ?, ?), (?, ?, ?), (?, ?, ?), (?, ?, ?), (?, ?, ?), (?, ?, ?), (?, ?, ?), (?, ?, ?)
                """)
        ) { statement, column, entry in
            statement.bind(column, entry.app)
            statement.bind(column + 1, entry.tag)
            statement.bind(column + 2, entry.seq)
        }
    }

    /// Eight rows a statement, as far as there are so many: beginning and ending one costs as much as a row.
    private func insert<Entry>(
        _ entries: ArraySlice<Entry>, columns: Int32, one: Statement, eight: Statement,
        bind: (Statement, Int32, Entry) -> Void
    ) throws(SQLiteError) {
        var next = entries.startIndex
        while next < entries.endIndex {
            let (statement, count) = entries.endIndex - next >= 8 ? (eight, 8) : (one, 1)
            for row in 0..<count { bind(statement, 1 + columns * Int32(row), entries[next + row]) }
            try statement.run()
            next += count
        }
    }

    /// The rows that the indexes do not hold yet, after a start.
    /// - Returns: the newest position of the log.
    static func rebuild(_ tail: Tail, from database: Database) throws(SQLiteError) -> UInt64 {
        let mark = try database.number("SELECT value FROM meta WHERE key = 'indexed_upto'") ?? 0
        let rows = try database.statement(
            "SELECT seq, target, app, out_biz_no, tag, kind FROM message WHERE seq > ? ORDER BY seq")
        rows.bind(1, mark)
        var head = UInt64(bitPattern: try database.number("SELECT value FROM meta WHERE key = 'head'") ?? 0)
        head = max(head, UInt64(bitPattern: mark))
        let generation = tail.active
        while try rows.step() {
            let seq = rows.position(0)
            head = max(head, seq)
            let isReference = rows.int(5) == StoredRow.Kind.reference.rawValue
            generation.append(
                Generation.Entry(
                    seq: seq, target: TargetKey(raw: rows.int(1)), app: rows.int(2),
                    bizHash: rows.optionalText(3).map { StableHash.of($0) }, tag: isReference ? nil : rows.optionalText(4)))
        }
        return head
    }
}

extension Range<Int> {
    fileprivate func moved(by step: Int) -> Range<Int> { lowerBound + step..<upperBound + step }
}
