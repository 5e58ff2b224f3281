internal import Base
package import Push

/// How many answers of an app are being summed up that take long: they share a thread or a connection, and one app must not fill
/// it.
package final class LongReports: Sendable {
    private let running = Locked<[AppKey: Int]>([:])

    /// Of one app.
    package static let limit = 2
    /// How many tasks of an answer may be looked at one by one.
    package static let mostTasks = 1_000_000

    /// None is being summed up.
    package init() {}

    /// - Returns: whether one more may begin; it is to end then.
    package func begin(of app: AppKey) -> Bool {
        running.withLock { running in
            let count = running[app, default: 0]
            guard count < Self.limit else { return false }
            running[app] = count + 1
            return true
        }
    }

    /// How many are.
    package func count(of app: AppKey) -> Int { running.withLock { $0[app, default: 0] } }

    /// One has ended.
    package func end(of app: AppKey) {
        running.withLock { running in
            let count = running[app, default: 1]
            running[app] = count == 1 ? nil : count - 1
        }
    }
}
