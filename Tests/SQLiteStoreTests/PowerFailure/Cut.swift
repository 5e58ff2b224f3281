import Base
import FaultVFS
import Push
import StoreContract

/// A moment at which the power fails, and what is kept of what was not synced.
struct Cut: Sendable {
    let moment: FaultyDisk.Moment
    /// Which of these moments, from 1.
    let number: Int
    /// The chance of each write that was not synced, in percent: 0 is the worst that may happen, 100 a process that is killed.
    let keeping: Int
    /// Not before so much time has passed.
    var after = Duration.zero
    let seed: UInt64
    /// What it leaves.
    let left: TemporaryDirectory
}

/// What callers and devices had been told.
struct Told: Sendable {
    var stored: Set<TaskID> = []
    var cancelled: Set<TaskID> = []
    var delivered: [TaskID: Int] = [:]
    var registered: Set<String> = []
    /// Receipts that were answered.
    var opened: [String: Set<TaskID>] = [:]
    /// Acknowledgements that were handed over, with the time.
    var settled: [(device: String, task: TaskID, at: ContinuousClock.Instant)] = []
}

/// Takes what each cut leaves while the traffic goes on: one run serves for all of them.
final class Cuts: Sendable {
    private struct State: Sendable {
        var left: [Cut]
        var seen: [FaultyDisk.Moment: Int] = [:]
        var isRunning = false
        var taken: [(cut: Cut, told: Told, at: ContinuousClock.Instant)] = []
        var errors: [Int32] = []
    }

    let told = Locked(Told())
    private let state: Locked<State>
    private let begin = ContinuousClock.now

    init(_ cuts: [Cut]) { state = Locked(State(left: cuts)) }

    /// From now on moments count.
    func start() { state.withLock { $0.isRunning = true } }

    var areTaken: Bool { state.withLock { $0.left.isEmpty } }
    var taken: [(cut: Cut, told: Told, at: ContinuousClock.Instant)] { state.withLock { $0.taken } }
    /// `errno` of what could not be written.
    var errors: [Int32] { state.withLock { $0.errors } }

    /// The disk is about to do something.
    func observe(_ moment: FaultyDisk.Moment, _ disk: FaultyDisk) {
        // First what was told, then what is left: who is answered in between was told too early.
        let (due, now) = (next(moment), ContinuousClock.now)
        for cut in due {
            let told = told.withLock { $0 }
            let code = disk.failPower(into: cut.left.path, keeping: cut.keeping, seed: cut.seed)
            state.withLock { state in
                if code != 0 { state.errors.append(code) }
                state.taken.append((cut, told, now))
            }
        }
    }

    private func next(_ moment: FaultyDisk.Moment) -> [Cut] {
        let time = ContinuousClock.now - begin
        return state.withLock { state in
            guard state.isRunning else { return [] }
            state.seen[moment, default: 0] += 1
            let number = state.seen[moment] ?? 0
            let due = state.left.filter { $0.moment == moment && number >= $0.number && time >= $0.after }
            state.left.removeAll { $0.moment == moment && number >= $0.number && time >= $0.after }
            return due
        }
    }
}
