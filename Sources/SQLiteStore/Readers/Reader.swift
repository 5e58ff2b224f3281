internal import Glibc
internal import Push
internal import Synchronization

/// A thread that reads from snapshots: never behind the writer, which goes on meanwhile.
final class Reader: Sendable {
    /// What a reader works with; lives on its thread.
    final class Context {
        let database: Database
        let tail: Tail
        let tasks: TaskNumber
        let clock: @Sendable () -> Int64
        private let betweenTailAndSnapshot: @Sendable () -> Void
        private var keys: [Int64: AppKey] = [:]

        init(path: String, tail: Tail, tasks: TaskNumber, options: SQLiteStore.Options) throws(SQLiteError) {
            database = try Database(path: path, role: .reader)
            self.tail = tail
            self.tasks = tasks
            clock = options.clock
            betweenTailAndSnapshot = options.tuning.betweenTailAndSnapshot
        }

        /// Reads the log as of one moment: the tail first, then the snapshot, or rows fall between the two. See ``Tail``.
        func reading<Result>(_ body: (Tail.View) throws(SQLiteError) -> Result) throws(SQLiteError) -> Result {
            let view = tail.take()
            betweenTailAndSnapshot()
            return try database.reading { () throws(SQLiteError) in try body(view) }
        }

        /// An app's key by its number: it never changes.
        func appKey(_ number: Int64) throws(SQLiteError) -> AppKey {
            if let known = keys[number] { return known }
            let query = try database.statement("SELECT appkey FROM app WHERE app = ?")
            query.bind(1, number)
            guard try query.step() else { throw SQLiteError(code: 11, message: "row of an app that does not exist") }
            defer { query.reset() }
            let key = AppKey(unchecked: query.text(0))
            keys[number] = key
            return key
        }
    }

    /// A piece of work; `nil` for the context where the file could not be opened.
    typealias Work = @Sendable (Context?) -> Void

    private struct State {
        var work: [Work] = []
        var isClosed = false
    }

    private let state = Mutex(State())
    private let wake = WakeSignal()
    private let thread: WorkerThread

    init(name: String, log: @escaping @Sendable (String) -> Void, open: @escaping @Sendable () throws(SQLiteError) -> Context) {
        thread = WorkerThread(name: name)
        thread.start { [self] in
            var context: Context?
            do { context = try open() } catch { log("reader: \(error)") }
            while true {
                let (work, isClosed) = state.withLock { state in
                    defer { state.work = [] }
                    return (state.work, state.isClosed)
                }
                for piece in work { piece(context) }
                if isClosed { return }
                if work.isEmpty { wake.wait() }
            }
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
