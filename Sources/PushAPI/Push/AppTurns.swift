internal import Push

/// Whose lists are read: of each app so many at a time, the others wait for them. Lists share the store's readers, and an app
/// that asks for hundreds of long ones has its own wait, not everybody's.
struct AppTurns {
    private struct Line {
        var running = 0
        var waiting: [CheckedContinuation<Void, Never>] = []
    }

    private var lines: [AppKey: Line] = [:]

    /// Of one app, on one loop.
    static let limit = 2
    /// How many of an app wait at most: whoever hangs up and comes again would wait for ever more.
    static let mostWaiting = 128

    /// Whether another one may wait.
    func mayWait(_ app: AppKey) -> Bool { lines[app].map { $0.waiting.count < Self.mostWaiting } ?? true }

    /// Takes a turn that is free.
    /// - Returns: whether there was one.
    mutating func begin(of app: AppKey) -> Bool {
        guard lines[app, default: Line()].running < Self.limit else { return false }
        lines[app, default: Line()].running += 1
        return true
    }

    /// Whoever waits is resumed with a turn, in the order of coming.
    mutating func wait(_ waiting: CheckedContinuation<Void, Never>, of app: AppKey) {
        lines[app, default: Line()].waiting.append(waiting)
    }

    /// A turn is over: it goes to whoever has waited for longest.
    mutating func end(of app: AppKey) {
        guard let line = lines[app] else { preconditionFailure("a turn ends that nobody has begun") }
        if !line.waiting.isEmpty {
            lines[app]?.waiting.removeFirst().resume()
        } else if line.running == 1 {
            lines[app] = nil
        } else {
            lines[app]?.running -= 1
        }
    }
}

extension PushFront {
    /// Waits for the app's turn to have a list read; `turns.end(of:)` gives it back.
    /// - Throws: 2301 where too many wait.
    func turn(of app: AppKey) async throws(Refusal) {
        guard !turns.begin(of: app) else { return }
        guard turns.mayWait(app) else { throw Refusal(.rateLimited, .tooManyLists(AppTurns.mostWaiting)) }
        await withCheckedContinuation { turns.wait($0, of: app) }
    }
}
