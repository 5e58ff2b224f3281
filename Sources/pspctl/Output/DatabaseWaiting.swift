import Postgres
import PostgresStore

/// Tells on standard error what a command waits for in a database: a commit may wait for a standby that never comes, and who
/// reads for a change that waits so.
enum DatabaseWaiting {
    /// How often it is looked, and how long nobody is told anything.
    private static let interval = Duration.seconds(3)

    /// Runs `body`, whose sessions with the database have these options.
    static func told<Result>(of database: PostgresOptions, _ body: () async throws -> Result) async throws -> Result {
        // It ends with `body`.
        async let _ = tell(of: database)
        return try await body()
    }

    private static func tell(of database: PostgresOptions) async {
        var told: DatabaseWait?
        while (try? await Task.sleep(for: interval)) != nil {
            let found = await PostgresStore.wait(in: database)
            if let found, found != told, !Task.isCancelled {
                Progress.makeRoom()
                Output.error(found.words.text(in: Speech.language))
            }
            told = found
        }
    }
}
