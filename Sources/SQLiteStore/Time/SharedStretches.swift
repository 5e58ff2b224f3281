internal import Base
internal import StoreCore
internal import Synchronization

/// The stretches of the log, for all threads. The writer sets them before a row of a new one is committed, so that whoever sees a
/// row finds its stretch.
final class SharedStretches: Sendable {
    private let value = Locked(Stretches([Stretch(after: 0, since: 0, offset: 0)]))
    private let version = Atomic(1)

    func set(_ stretches: Stretches) {
        value.withLock { $0 = stretches }
        version.add(1, ordering: .releasing)
    }

    /// One thread's copy, which is looked at for each row that is read.
    struct Copy {
        private let shared: SharedStretches
        private var version = 0
        private var value: Stretches

        init(of shared: SharedStretches) {
            self.shared = shared
            value = shared.value.withLock { $0 }
        }

        /// As they are now.
        mutating func read() -> Stretches {
            let newest = shared.version.load(ordering: .acquiring)
            if newest != version {
                version = newest
                value = shared.value.withLock { $0 }
            }
            return value
        }
    }
}
