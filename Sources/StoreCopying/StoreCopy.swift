public import Base
public import Postgres
internal import PostgresStore
public import Push
public import SQLiteStore

/// Moves everything that an embedded store holds into an empty shared one: apps, the directory with its past, the log with what
/// became of every task, how far each device is, operators, the audit log, imports, store time.
///
/// Afterwards callers, devices and operators find what they would have found: tasks keep their ids, an `out_biz_no` is known, and
/// a device gets what was pending for it, once. The embedded store is read at one moment, with no server on it, and is opened
/// by none afterwards; the shared one has all of it in one transaction, or nothing.
///
/// What the shared store does not have is not moved: indexes and sums that it makes by itself, and what is left of imports that
/// nobody has begun.
public struct StoreCopy: Sendable {
    /// Why it was not done.
    public enum Failure: Error, Sendable {
        /// What the data directory did not allow.
        case source(SQLiteStoreError)
        /// What the database did not, or that it was not reached.
        case target(BilingualText)
    }

    /// What was moved.
    public struct Result: Sendable {
        /// How many there are of each kind, in the order in which people ask, as `pspctl check` counts them.
        public let counts: [(name: String, count: Int)]
        /// How many rows the database has got.
        public let rows: Int
    }

    private let directory: String
    private let database: PostgresOptions
    private let clocks: SystemClocks

    /// - Parameters:
    ///   - directory: the data directory of the embedded store.
    ///   - database: of the shared one, with a schema or without.
    ///   - clocks: of this machine.
    public init(from directory: String, to database: PostgresOptions, clocks: SystemClocks = SystemClocks()) {
        self.directory = directory
        self.database = database
        self.clocks = clocks
    }

    /// The directory is marked as moved before the database has all of it: after that nothing stands between the two stores but
    /// the mark, however this process ends. It is taken back where nothing was copied for certain.
    /// - Parameter progress: told how much of all is done, from 0 to 1, and how many rows that are.
    /// - Throws: ``Failure``, or what `progress` throws: then nothing is copied, unless the failure says that nobody knows.
    public func run(progress: @escaping (Double, Int) throws -> Void) async throws -> Result {
        do {
            let source = try StoreSource(directory: directory, goingTo: database.address.pasteable, clocks: clocks)
            var result: Result?
            do {
                try await SchemaFilling.run(database) { filling in
                    result = try await CopyWork(source, filling, progress).run()
                    try source.markMoved()
                }
            } catch {
                if (error as? SchemaFilling.Failure)?.isInDoubt != true { source.takeMarkBack() }
                throw error
            }
            guard let result else { throw Failure.target(BilingualText("没有复制任何内容", "nothing was copied")) }
            return result
        } catch let error as SQLiteStoreError {
            throw Failure.source(error)
        } catch let failure as SchemaFilling.Failure {
            throw Failure.target(failure.text)
        }
    }
}
