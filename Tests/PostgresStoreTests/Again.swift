import PostgresCluster
import Push

/// Waits until `condition` holds, as a caller does who is told to come again: a node whose database has just gone, or
/// come back, has not found it with each of its connections yet.
func eventually(_ what: String, _ condition: @Sendable () async throws -> Bool) async throws {
    try await PostgresCluster.eventually(what) {
        do { return try await condition() } catch StoreError.unavailable { return false } catch AttachError.unavailable {
            return false
        }
    }
}
