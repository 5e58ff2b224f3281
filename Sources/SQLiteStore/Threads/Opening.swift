internal import Base
internal import StoreCore

/// Carries what became of a thread's start to whoever waits for it.
final class Opening: Sendable {
    private let outcome = Locked<SQLiteError?>(nil)
    private let wake = WakeSignal()

    /// - Parameter error: why it cannot work; `nil` where it does.
    @Sendable func finish(_ error: SQLiteError?) {
        outcome.withLock { $0 = error }
        wake.signal()
    }

    /// Returns when it has started.
    func wait() throws(SQLiteError) {
        wake.wait()
        if let error = outcome.withLock({ $0 }) { throw error }
    }
}
