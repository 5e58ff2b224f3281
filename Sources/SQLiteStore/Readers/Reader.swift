internal import Base

/// A thread that reads from snapshots: never behind the writer, which goes on meanwhile.
final class Reader: Sendable {
    /// A piece of work; `nil` for the context where the file could not be opened.
    typealias Work = @Sendable (Context?) -> Void

    private struct State {
        var work: [Work] = []
        var isClosed = false
    }

    private let state = Locked(State())
    private let wake = WakeSignal()
    private let thread: WorkerThread

    /// How many pieces of work share one moment: a loop waits for all of them, and so does the write-ahead log.
    private static let together = 32

    /// - Parameter isShared: whether pieces of work that wait together read as of one moment.
    init(
        name: String, isShared: Bool, scheduling: WorkerThread.Scheduling, log: @escaping @Sendable (String) -> Void,
        open: @escaping @Sendable () throws(SQLiteError) -> Context
    ) {
        thread = WorkerThread(name: name, scheduling: scheduling)
        thread.start { [self] in
            var context: Context?
            do { context = try open() } catch { log("reader: \(error)") }
            run(context, isShared: isShared, log)
        }
    }

    private func run(_ context: Context?, isShared: Bool, _ log: @escaping @Sendable (String) -> Void) {
        while true {
            let (work, isClosed) = state.withLock { state in
                defer { state.work = [] }
                return (state.work, state.isClosed)
            }
            if isShared, let context {
                for start in stride(from: 0, to: work.count, by: Self.together) {
                    let pieces = work[start..<min(start + Self.together, work.count)]
                    do throws(SQLiteError) {
                        try context.sharing { for piece in pieces { piece(context) } }
                    } catch { log("reader: \(error)") }
                }
            } else {
                for piece in work { piece(context) }
            }
            if isClosed { return }
            if work.isEmpty { wake.wait() }
        }
    }

    /// Hands a piece of work in; after ``close()`` it is told at once that there is no file.
    func submit(_ work: @escaping Work) {
        let (isFirst, isClosed) = state.withLock { state in
            if !state.isClosed { state.work.append(work) }
            return (state.work.count == 1, state.isClosed)
        }
        if isClosed {
            work(nil)
        } else if isFirst {
            wake.signal()
        }
    }

    /// Ends when what was handed in is answered.
    func close() {
        state.withLock { $0.isClosed = true }
        wake.signal()
        thread.join()
    }
}
