internal import Base
internal import Postgres
internal import Push
internal import StoreCore

// What a node tells of itself and of the others.

extension StoreNode {
    /// Who lives.
    func nodes() async throws(StoreError) -> [NodeReport] {
        let rows = try await ask(reads, Statements.nodes, PostgresArguments())
        do throws(PostgresShapeError) {
            return try (0..<rows.count).map { row throws(PostgresShapeError) in
                NodeReport(
                    name: try rows.text(row, 1) ?? "", version: try rows.text(row, 2) ?? "",
                    isOwn: try rows.present4(row, 0) == number, startedAt: try rows.present8(row, 3),
                    lease: try rows.present8(row, 4), lag: try rows.present8(row, 5),
                    sessions: Int64(try rows.present4(row, 6)), isDraining: try rows.bool(row, 7) ?? false)
            }
        } catch {
            options.log("the nodes cannot be read: \(error)")
            throw .unavailable(retryAfter: retryAfter)
        }
    }

    /// This process is about to end: the others are told by a renewal.
    func announceEnd() {
        isDraining = true
        leaseBell.ring()
    }

    /// How this node fares, as of its last renewal.
    nonisolated var standing: NodeStanding {
        var standing = figures.standing
        standing.lease = lease.left / 1_000
        standing.lapses = Int(clamping: lease.lapses)
        standing.unknownCalls = lane.counts.unknown + own.counts.unknown
        standing.losses = lane.counts.losses
        return standing
    }
}
