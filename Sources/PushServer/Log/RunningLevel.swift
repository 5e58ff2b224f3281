internal import Logging
internal import Synchronization

/// From what level on the process's log is written; an operator may change it while the server runs.
final class RunningLevel: Sendable {
    private let number: Atomic<Int>

    init(_ level: Logger.Level) { number = Atomic(Self.number(of: level)) }

    /// Any thread may ask, and set it.
    var level: Logger.Level {
        get { Logger.Level.allCases[number.load(ordering: .relaxed)] }
        set { number.store(Self.number(of: newValue), ordering: .relaxed) }
    }

    private static func number(of level: Logger.Level) -> Int { Logger.Level.allCases.firstIndex(of: level) ?? 0 }
}
