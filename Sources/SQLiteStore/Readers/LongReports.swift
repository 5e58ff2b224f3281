internal import Base
internal import Push

/// How many answers of an app are being summed up that take long: they share a thread, and one app must not fill it.
final class LongReports: Sendable {
    private let running = Locked<[AppKey: Int]>([:])

    /// Of one app.
    static let limit = 2

    /// - Returns: whether one more may begin; it is to end then.
    func begin(of app: AppKey) -> Bool {
        running.withLock { running in
            let count = running[app, default: 0]
            guard count < Self.limit else { return false }
            running[app] = count + 1
            return true
        }
    }

    func count(of app: AppKey) -> Int { running.withLock { $0[app, default: 0] } }

    func end(of app: AppKey) {
        running.withLock { running in
            let count = running[app, default: 1]
            running[app] = count == 1 ? nil : count - 1
        }
    }
}
