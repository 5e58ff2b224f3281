internal import CLibpq
internal import Glibc

/// What comes of one call's answer: results of libpq's, one a row, until the server has said that the transaction is over. Only
/// then the outcome is known: a commit fails, or warns, after the statement's own success.
struct Reply {
    /// What a result was.
    enum Progress {
        case goesOn
        /// The transaction is over.
        case over
        /// libpq says itself that it cannot go on: nothing of this is the server's answer.
        case broken(String)
    }

    private let mostRows: Int
    private let mostBytes: Int
    private let dropsRows: Bool
    private var rows = PostgresRows()
    private var isTooLarge = false
    private var warning: PostgresError?
    /// The first error: those that follow are its consequences.
    private(set) var error: PostgresError?
    /// The statement is prepared with this call, and the server has not said yet that it is.
    var awaitsPreparation = false

    init(mostRows: Int, mostBytes: Int, dropsRows: Bool) {
        self.mostRows = mostRows
        self.mostBytes = mostBytes
        self.dropsRows = dropsRows
    }

    /// Takes what libpq has read.
    mutating func take(_ result: OpaquePointer) -> Progress {
        switch PQresultStatus(result) {
        case PGRES_SINGLE_TUPLE: append(result)
        case PGRES_TUPLES_OK:
            append(result)
            rows.affected = affected(result)
        case PGRES_COMMAND_OK:
            if awaitsPreparation { awaitsPreparation = false } else { rows.affected = affected(result) }
        case PGRES_EMPTY_QUERY, PGRES_PIPELINE_ABORTED: break
        case PGRES_FATAL_ERROR:
            guard let told = PostgresError(result) else { return .broken(String(cString: PQresultErrorMessage(result)).trimmed) }
            error = error ?? told
        case PGRES_PIPELINE_SYNC: return .over
        default: return .broken("an answer that nobody asked for: \(String(cString: PQresStatus(PQresultStatus(result))))")
        }
        return .goesOn
    }

    /// Takes what the server said beside the result.
    mutating func take(_ notice: PostgresError) {
        if notice.severity == .warning { warning = warning ?? notice }
    }

    /// What became of the call, when the transaction is over.
    /// - Parameter warningMeansUnknown: see ``PostgresCall/warningMeansUnknown``.
    func outcome(warningMeansUnknown: Bool) -> PostgresOutcome {
        if let error { return .failed(error) }
        if let warning, warningMeansUnknown { return .unknown(.warned(warning)) }
        return isTooLarge ? .tooLarge : .rows(rows)
    }

    private func affected(_ result: OpaquePointer) -> Int {
        guard let text = PQcmdTuples(result) else { return 0 }
        return Int(strtoll(text, nil, 10))
    }

    private mutating func append(_ result: OpaquePointer) {
        guard !isTooLarge, !dropsRows else { return }
        let columnCount = PQnfields(result)
        if rows.columns.isEmpty { rows.columns = (0..<columnCount).map { PostgresType(oid: PQftype(result, $0)) } }
        for row in 0..<PQntuples(result) {
            for column in 0..<columnCount { append(result, row, column) }
            rows.count += 1
        }
        if rows.count > mostRows || rows.bytes.count > mostBytes {
            isTooLarge = true
            // What is left of the answer is read and dropped: the connection goes on.
            rows = PostgresRows()
        }
    }

    private mutating func append(_ result: OpaquePointer, _ row: Int32, _ column: Int32) {
        let offset = rows.bytes.count
        guard PQgetisnull(result, row, column) == 0, let value = PQgetvalue(result, row, column) else {
            return rows.cells.append(PostgresRows.Cell(offset: offset, count: -1))
        }
        let count = Int(PQgetlength(result, row, column))
        rows.bytes.append(contentsOf: UnsafeRawBufferPointer(start: value, count: count))
        rows.cells.append(PostgresRows.Cell(offset: offset, count: count))
    }
}
