internal import CLibpq

/// What the server said of a statement or of the session: an error, or a notice that came beside a result.
public struct PostgresError: Error, Hashable, Sendable, CustomStringConvertible {
    /// How much it means. The server's words in any language are the same here.
    public enum Severity: String, Sendable {
        /// The whole server restarts.
        case panic = "PANIC"
        /// The session ends.
        case fatal = "FATAL"
        /// The statement has failed.
        case error = "ERROR"
        /// The statement has not failed, but something is amiss.
        case warning = "WARNING"
        /// Something to know.
        case notice = "NOTICE"
        /// What a client may want to see.
        case information = "INFO"
        /// For the server's log.
        case log = "LOG"
        /// For its developers.
        case debug = "DEBUG"

        /// Whether the session ends with it.
        public var endsSession: Bool { self == .fatal || self == .panic }
    }

    /// How much it means.
    public let severity: Severity
    /// What kind it is.
    public let state: SQLState
    /// The server's line, in its language.
    public let message: String
    /// More of it.
    public let detail: String?
    /// What may help.
    public let hint: String?
    /// The constraint that was violated.
    public let constraint: String?

    /// One line for a log.
    public var description: String {
        "\(severity.rawValue) \(state): \(message)" + (detail.map { " (\($0))" } ?? "")
    }
}

extension PostgresError {
    /// What the server says by a result of libpq's that is no success; nil: these are libpq's own words, for a connection that is
    /// broken.
    init?(_ result: OpaquePointer) {
        func field(_ code: Int32) -> String? { PQresultErrorField(result, code).map { String(cString: $0) } }
        guard let code = field(PSP_PG_DIAG_SQLSTATE) else { return nil }
        state = SQLState(code)
        severity = field(PSP_PG_DIAG_SEVERITY).flatMap(Severity.init) ?? .error
        message = field(PSP_PG_DIAG_MESSAGE) ?? ""
        detail = field(PSP_PG_DIAG_DETAIL)
        hint = field(PSP_PG_DIAG_HINT)
        constraint = field(PSP_PG_DIAG_CONSTRAINT)
    }
}

extension String {
    /// Without the line breaks that libpq ends its messages with; those inside, and tabs, become blanks, so that it is one line
    /// of a log.
    var trimmed: String {
        split { $0.isNewline || $0 == "\t" }.joined(separator: " ")
    }
}
