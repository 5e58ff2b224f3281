internal import Base
internal import Postgres
internal import Push
internal import StoreCore

// How store time and the database's wall clock stand to each other.

extension StoreNode {
    func clockState() async throws(StoreError) -> ClockState {
        // Before it has joined a node knows no store time.
        guard number != 0 else { throw .unavailable(retryAfter: retryAfter) }
        let rows = try await ask(own, Statements.clockState, PostgresArguments())
        do {
            let (wall, now) = (try rows.present8(0, 0), clock.now)
            var ahead: ClockState.Ahead?
            if wall - now > Self.leastAhead {
                ahead = .init(duration: max(0, now - (try rows.int8(0, 2) ?? now)), waitsFor: .synchronisation)
            }
            // This machine's: the database tells nobody whether its own is kept right.
            return ClockState(
                storeTime: now, wallClock: wall, isSynchronised: SystemClocks().isSynchronised(),
                steps: Int(try rows.present4(0, 1)), ahead: ahead)
        } catch {
            options.log("the clock cannot be read: \(error)")
            throw .unavailable(retryAfter: retryAfter)
        }
    }

    /// What two clocks may differ by, in milliseconds.
    private static let leastAhead: Int64 = 2_000
}
