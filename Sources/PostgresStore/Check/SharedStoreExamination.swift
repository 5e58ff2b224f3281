public import Postgres
public import Push

/// Whether what a shared store holds fits together, as of one moment. It is only read, and nodes may go on meanwhile: they wait
/// for nothing. As long as it is read the server keeps what was removed since.
public struct SharedStoreExamination: Sendable {
    /// Why it could not be examined.
    public struct Failure: Error, Sendable {
        /// One line for an operator.
        public let text: BilingualText
    }

    /// The version of its tables.
    public let version: Int
    /// How many rows of each kind it has, in the order in which people ask.
    public let counts: [(name: String, count: Int)]
    /// What does not fit; of each kind the first ones.
    public let findings: [StoreFinding]

    /// Looks at all of it.
    /// - Parameter progress: told how much of all is done, from 0 to 1.
    /// - Throws: ``Failure``.
    public init(of database: PostgresOptions, progress: @escaping (Double) -> Void) async throws {
        var options = database
        // Hash joins read large tables once each; nothing is looked up row by row that has no index.
        options.settings += [("jit", "off"), ("statement_timeout", "0"), ("idle_in_transaction_session_timeout", "0")]
        do {
            (version, counts, findings) = try await ShortConnection.with(options) { connection in
                let look = StoreLook(connection)
                let version = try await look.begin()
                var findings: [StoreFinding] = []
                let parts = StoreLook.parts
                for (index, part) in parts.enumerated() {
                    progress(Double(index) / Double(parts.count))
                    findings += try await look.findings(in: part)
                }
                return (version, try await look.end(), findings)
            }
        } catch let failure as MigrationFailure {
            throw Failure(text: failure.text)
        }
    }
}
