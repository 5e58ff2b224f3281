internal import Push

/// `import`, `import_part`, `import_failure`: imports, the text that they have still to apply, and the lines that failed.
final class ImportTable {
    let database: Database

    init(_ database: Database) { self.database = database }

    /// What a row of `import` stands for.
    enum State: Int64 {
        /// Its text is still coming.
        case receiving
        /// It goes on.
        case running
        case done
        case failed
        /// Its text is to go, and then itself.
        case abandoned
    }

    /// How far one that goes on is: written with the changes that it tells of.
    struct Progress {
        /// The last line that was applied.
        var line = 0
        var tally = ImportTally()
        /// How long it has taken, in nanoseconds.
        var took: Int64 = 0
        /// Starts of the store since it came further.
        var attempts: Int64 = 0
        /// The last line, while something follows from it that is still to be done. Not in the file: after a restart nobody knows
        /// whose it is.
        var followed: (line: Int, result: ChangeResult)?
    }

    // MARK: Its text

    /// - Returns: the number of the import that has not begun yet under this name.
    func receiving(_ id: ImportID) throws(SQLiteError) -> Int64? {
        let query = try database.statement("SELECT import FROM import WHERE import_id = ? AND state = 0")
        query.bind(1, id.text)
        guard try query.step() else { return nil }
        defer { query.reset() }
        return query.int(0)
    }

    /// - Returns: the number of the new import.
    func insert(_ id: ImportID, at now: Int64) throws(SQLiteError) -> Int64 {
        let insert = try database.statement("INSERT INTO import(import_id, state, started) VALUES(?, 0, ?)")
        insert.bind(1, id.text)
        insert.bind(2, now)
        try insert.run()
        return try database.number("SELECT last_insert_rowid()") ?? 0
    }

    func insert(_ part: ImportPart, of number: Int64) throws(SQLiteError) {
        let insert = try database.statement("INSERT INTO import_part(part, lines, text) VALUES(?, ?, ?)")
        insert.bind(1, Self.key(number, part.firstLine))
        insert.bind(2, part.count)
        insert.bind(3, part.text)
        try insert.run()
        let count = try database.statement("UPDATE import SET lines = lines + ? WHERE import = ?")
        count.bind(1, part.count)
        count.bind(2, number)
        try count.run()
    }

    /// The first part that is left of an import.
    func firstPart(of number: Int64) throws(SQLiteError) -> ImportPart? {
        let query = try database.statement(
            "SELECT part, lines, text FROM import_part WHERE part >= ? AND part < ? ORDER BY part LIMIT 1")
        query.bind(1, Self.key(number, 0))
        query.bind(2, Self.key(number + 1, 0))
        guard try query.step() else { return nil }
        defer { query.reset() }
        return ImportPart(firstLine: Int(query.int(0) & 0xFFFF_FFFF), count: Int(query.int(1)), text: query.blob(2))
    }

    func hasParts(_ number: Int64) throws(SQLiteError) -> Bool {
        let query = try database.statement("SELECT 1 FROM import_part WHERE part >= ? AND part < ? LIMIT 1")
        query.bind(1, Self.key(number, 0))
        query.bind(2, Self.key(number + 1, 0))
        defer { query.reset() }
        return try query.step()
    }

    /// Removes the first part that is left, and overwrites it: lines bring secrets, of which the store keeps hashes only.
    func removeFirstPart(of number: Int64) throws(SQLiteError) {
        // The statement of a pragma does its work when it is prepared: one that is kept would do it once.
        try database.execute("PRAGMA secure_delete=1")
        let delete = try database.statement(
            "DELETE FROM import_part WHERE part = (SELECT min(part) FROM import_part WHERE part >= ? AND part < ?)")
        delete.bind(1, Self.key(number, 0))
        delete.bind(2, Self.key(number + 1, 0))
        try delete.run()
        try database.execute("PRAGMA secure_delete=0")
    }

    /// Parts are in the order of imports, then of lines: 64 MiB have fewer than 2³² lines.
    private static func key(_ number: Int64, _ firstLine: Int) -> Int64 { number << 32 | Int64(firstLine) }

    // MARK: How far it is

    func start(_ number: Int64, by operator: OperatorNumber?, at now: Int64) throws(SQLiteError) {
        let write = try database.statement("UPDATE import SET state = 1, beginner = ?, started = ? WHERE import = ?")
        write.bind(1, `operator`?.value)
        write.bind(2, now)
        write.bind(3, number)
        try write.run()
    }

    /// Those that go on, in the order in which they began.
    func running() throws(SQLiteError) -> [(number: Int64, operator: OperatorNumber?, progress: Progress)] {
        let query = try database.statement(
            """
            SELECT import, line, created, updated, failed, took, attempts, beginner FROM import WHERE state = 1
            ORDER BY started, import
            """)
        var found: [(number: Int64, operator: OperatorNumber?, progress: Progress)] = []
        while try query.step() {
            var progress = Progress(line: Int(query.int(1)), took: query.int(5), attempts: query.int(6))
            progress.tally = Self.tally(query, from: 2)
            found.append((query.int(0), query.optionalInt(7).map { OperatorNumber($0) }, progress))
        }
        return found
    }

    func write(_ progress: Progress, of number: Int64) throws(SQLiteError) {
        let write = try database.statement(
            "UPDATE import SET line = ?, created = ?, updated = ?, failed = ?, took = ?, attempts = ? WHERE import = ?")
        write.bind(1, progress.line)
        write.bind(2, progress.tally.created)
        write.bind(3, progress.tally.updated)
        write.bind(4, progress.tally.failed)
        write.bind(5, progress.took)
        write.bind(6, progress.attempts)
        write.bind(7, number)
        try write.run()
    }

    func insert(_ failure: LineFailure, of number: Int64) throws(SQLiteError) {
        let insert = try database.statement(
            "INSERT INTO import_failure(import, line, code, field, chinese, english) VALUES(?, ?, ?, ?, ?, ?)")
        insert.bind(1, number)
        insert.bind(2, failure.line)
        insert.bind(3, failure.code.rawValue)
        insert.bind(4, failure.field)
        insert.bind(5, failure.message.chinese)
        insert.bind(6, failure.message.english)
        try insert.run()
    }

    func end(_ number: Int64, as state: State, at now: Int64) throws(SQLiteError) {
        let write = try database.statement("UPDATE import SET state = ?, ended = ? WHERE import = ?")
        write.bind(1, state.rawValue)
        write.bind(2, now)
        write.bind(3, number)
        try write.run()
    }

    // MARK: What is to go

    func abandon(_ number: Int64) throws(SQLiteError) {
        let write = try database.statement("UPDATE import SET state = 4 WHERE import = ?")
        write.bind(1, number)
        try write.run()
    }

    /// One that was abandoned, or was still coming when the store ended: of all up to a number, which this run began with.
    func firstAbandoned(before first: Int64) throws(SQLiteError) -> Int64? {
        let query = try database.statement("SELECT min(import) FROM import WHERE state = 4 OR (state = 0 AND import < ?)")
        query.bind(1, first)
        guard try query.step() else { return nil }
        defer { query.reset() }
        return query.optionalInt(0)
    }

    /// The number that the next one gets, or less.
    func nextNumber() throws(SQLiteError) -> Int64 {
        try database.number("SELECT seq + 1 FROM sqlite_sequence WHERE name = 'import'") ?? 1
    }

    /// Removes one whose text is gone.
    func remove(_ number: Int64) throws(SQLiteError) {
        let failures = try database.statement("DELETE FROM import_failure WHERE import = ?")
        failures.bind(1, number)
        try failures.run()
        let delete = try database.statement("DELETE FROM import WHERE import = ?")
        delete.bind(1, number)
        try delete.run()
    }

    /// Forgets what has ended but for the last ones.
    func forget(butLast kept: Int) throws(SQLiteError) {
        let query = try database.statement(
            "SELECT import FROM import WHERE state IN (2, 3) ORDER BY ended DESC, import DESC LIMIT -1 OFFSET ?")
        query.bind(1, kept)
        var old: [Int64] = []
        while try query.step() { old.append(query.int(0)) }
        for number in old { try remove(number) }
    }

    // MARK: Reports

    /// The number of one that has begun.
    /// - Parameter operator: who must have begun it; `nil`: whoever.
    func number(of id: ImportID, by operator: OperatorNumber?) throws(SQLiteError) -> Int64? {
        let query = try database.statement(
            "SELECT import FROM import WHERE import_id = ?1 AND state IN (1, 2, 3) AND (?2 IS NULL OR beginner = ?2)")
        query.bind(1, id.text)
        query.bind(2, `operator`?.value)
        guard try query.step() else { return nil }
        defer { query.reset() }
        return query.int(0)
    }

    func report(_ number: Int64) throws(SQLiteError) -> ImportReport? {
        let query = try database.statement(
            """
            SELECT import_id, state, lines, created, updated, failed, started, ended, took FROM import WHERE import = ?
            """)
        query.bind(1, number)
        guard try query.step() else { return nil }
        let report = Self.report(query)
        query.reset()
        return report.telling(try failures(of: number))
    }

    /// Newest first.
    func page(
        before number: Int64, limit: Int, by operator: OperatorNumber?
    ) throws(SQLiteError) -> [(number: Int64, report: ImportReport)] {
        let query = try database.statement(
            """
            SELECT import_id, state, lines, created, updated, failed, started, ended, took, import FROM import
            WHERE state IN (1, 2, 3) AND import < ?1 AND (?3 IS NULL OR beginner = ?3) ORDER BY import DESC LIMIT ?2
            """)
        query.bind(1, number)
        query.bind(2, limit)
        query.bind(3, `operator`?.value)
        var found: [(number: Int64, report: ImportReport)] = []
        while try query.step() { found.append((query.int(9), Self.report(query))) }
        return found
    }

    private static func report(_ query: Statement) -> ImportReport {
        let state: ImportReport.State =
            switch State(rawValue: query.int(1)) {
            case .done: .done
            case .failed: .failed
            default: .running
            }
        let (lines, tally, took) = (Int(query.int(2)), tally(query, from: 3), query.int(8))
        let timeLeft =
            state == .running && tally.done > 0 ? took / 1_000_000 * Int64(lines - tally.done) / Int64(tally.done) : nil
        return ImportReport(
            id: ImportID(query.text(0)), state: state, lines: lines, tally: tally, startedAt: query.int(6),
            endedAt: query.optionalInt(7), timeLeft: timeLeft, failures: [])
    }

    private static func tally(_ query: Statement, from column: Int32) -> ImportTally {
        var tally = ImportTally()
        tally.created = Int(query.int(column))
        tally.updated = Int(query.int(column + 1))
        tally.failed = Int(query.int(column + 2))
        return tally
    }

    private func failures(of number: Int64) throws(SQLiteError) -> [LineFailure] {
        let query = try database.statement(
            "SELECT line, code, field, chinese, english FROM import_failure WHERE import = ? ORDER BY line")
        query.bind(1, number)
        var found: [LineFailure] = []
        while try query.step() {
            found.append(
                LineFailure(
                    line: Int(query.int(0)), code: ErrorCode(rawValue: Int(query.int(1))) ?? .internalError,
                    field: query.optionalText(2), message: BilingualText(query.text(3), query.text(4))))
        }
        return found
    }
}

extension ImportReport {
    fileprivate func telling(_ failures: [LineFailure]) -> ImportReport {
        ImportReport(
            id: id, state: state, lines: lines, tally: tally, startedAt: startedAt, endedAt: endedAt, timeLeft: timeLeft,
            failures: failures)
    }
}
