internal import Push

/// Fills the trailing indexes: a generation's entries, sorted, in one transaction.
struct Merge {
    let database: Database

    /// - Returns: after the commit; the generation may be dropped then.
    func merge(_ generation: Generation) throws(SQLiteError) {
        let entries = generation.entries
        guard let last = entries.last else { return }
        try database.statement("BEGIN").run()
        do {
            try insert(entries)
            let mark = try database.statement("INSERT OR REPLACE INTO meta(key, value) VALUES('indexed_upto', ?)")
            mark.bind(1, last.seq)
            try mark.run()
            try database.statement("COMMIT").run()
        } catch {
            if database.inTransaction { try database.statement("ROLLBACK").run() }
            throw error
        }
    }

    private func insert(_ entries: [Generation.Entry]) throws(SQLiteError) {
        let target = try database.statement("INSERT OR IGNORE INTO target_index(target, seq) VALUES(?, ?)")
        for entry in entries.sorted(by: { ($0.target.raw, $0.seq) < ($1.target.raw, $1.seq) }) {
            target.bind(1, entry.target.raw)
            target.bind(2, entry.seq)
            try target.run()
        }
        let biz = try database.statement("INSERT OR IGNORE INTO biz_index(app, hash, seq) VALUES(?, ?, ?)")
        let withBiz = entries.compactMap { entry in entry.bizHash.map { (app: entry.app, hash: $0, seq: entry.seq) } }
        for entry in withBiz.sorted(by: { ($0.app, $0.hash, $0.seq) < ($1.app, $1.hash, $1.seq) }) {
            biz.bind(1, entry.app)
            biz.bind(2, entry.hash)
            biz.bind(3, entry.seq)
            try biz.run()
        }
        let tag = try database.statement("INSERT OR IGNORE INTO tag_index(app, tag, seq) VALUES(?, ?, ?)")
        let withTag = entries.compactMap { entry in entry.tag.map { (app: entry.app, tag: $0, seq: entry.seq) } }
        for entry in withTag.sorted(by: { ($0.app, $0.tag, $0.seq) < ($1.app, $1.tag, $1.seq) }) {
            tag.bind(1, entry.app)
            tag.bind(2, entry.tag)
            tag.bind(3, entry.seq)
            try tag.run()
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
