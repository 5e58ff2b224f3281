internal import Base
internal import StoreCore

/// A thread that reads from snapshots: never behind the writer, which goes on meanwhile.
final class Reader: Sendable {
    /// A piece of work; `nil` for the context after the end.
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

    /// Returns when the file is open: later there may be no descriptor left.
    /// - Parameter isShared: whether pieces of work that wait together read as of one moment.
    init(
        name: String, isShared: Bool, scheduling: WorkerThread.Scheduling, log: @escaping @Sendable (String) -> Void,
        open: @escaping @Sendable () throws(SQLiteError) -> Context
    ) throws(SQLiteError) {
        thread = WorkerThread(name: name, scheduling: scheduling)
        let opening = Opening()
        thread.start { [self] in
            let context: Context
            do throws(SQLiteError) { context = try open() } catch { return opening.finish(error) }
            opening.finish(nil)
            run(context, isShared: isShared, RareLines(log))
        }
        do throws(SQLiteError) { try opening.wait() } catch {
            thread.join()
            throw error
        }
    }

    private func run(_ context: Context, isShared: Bool, _ lines: RareLines) {
        while true {
            let (work, isClosed) = state.withLock { state in
                defer { state.work = [] }
                return (state.work, state.isClosed)
            }
            if isShared {
                for start in stride(from: 0, to: work.count, by: Self.together) {
                    let pieces = work[start..<min(start + Self.together, work.count)]
                    do throws(SQLiteError) {
                        try context.sharing { for piece in pieces { piece(context) } }
                    } catch { lines.tell("reader: \(error)") }
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
