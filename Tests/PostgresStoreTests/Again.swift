import PostgresCluster
import Push

/// Waits until `condition` holds where the database was away just now, as a caller does who is told to come again: a node has not
/// found it with each of its sessions yet.
func eventuallyServed(_ what: String, _ condition: @Sendable () async throws -> Bool) async throws {
    try await PostgresCluster.eventually(what) {
        do { return try await condition() } catch StoreError.unavailable { return false } catch AttachError.unavailable {
            return false
        }
    }
}
