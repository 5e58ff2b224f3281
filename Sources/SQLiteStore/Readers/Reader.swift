internal import Glibc
internal import Push
internal import Base

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

        /// The moment that several pieces of work share.
        private var shared: Tail.View?
        private var isSharing = false
        /// What was read of this moment.
        let moment = Moment()
        /// What loops are to be told when the moment has passed, one post for each.
        private var answers: [(loop: Int, mailbox: any Mailbox, work: [Answer])] = []

        /// Reads the log as of one moment: the tail first, then the snapshot, or rows fall between the two. See ``Tail``.
        func reading<Result>(_ body: (Tail.View) throws(SQLiteError) -> Result) throws(SQLiteError) -> Result {
            if let shared { return try body(shared) }
            let view = tail.take()
            betweenTailAndSnapshot()
            moment.removeAll()
            guard isSharing else { return try database.reading { () throws(SQLiteError) in try body(view) } }
            try database.statement("BEGIN").run()
            shared = view
            return try body(view)
        }

        /// Pieces of work that wait at the same time read as of one moment, which is after each was handed in: the log's lock and the
        /// transaction are theirs together (12,000 instructions less for each of many).
        func sharing(_ body: () -> Void) throws(SQLiteError) {
            isSharing = true
            body()
            isSharing = false
            shared = nil
            for answer in answers {
                let work = answer.work
                answer.mailbox.execute { for piece in work { piece() } }
            }
            answers.removeAll(keepingCapacity: true)
            try database.endReading()
        }

        /// Has a loop do something as soon as what is read together is read.
        func answer(_ loop: Int, _ mailbox: any Mailbox, _ work: @escaping Answer) {
            guard isSharing else { return mailbox.execute(work) }
            if let index = answers.firstIndex(where: { $0.loop == loop }) {
                answers[index].work.append(work)
            } else {
                answers.append((loop, mailbox, [work]))
            }
        }

        /// A row as devices get it; one to many is composed once in a moment.
        func delivered(_ row: StoredRow, at position: UInt64, to target: TargetKey) throws(SQLiteError) -> Row {
            let isShared = target.kind != .device
            if isShared, let known = moment.sent[position] { return known }
            let sent = DeliveredRow.row(
                row, task: tasks.id(of: row.seq), app: try appKey(row.app), position: position, target: target)
            if isShared { moment.sent[position] = sent }
            return sent
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
            while true {
                let (work, isClosed) = state.withLock { state in
                    defer { state.work = [] }
                    return (state.work, state.isClosed)
                }
                if isShared, let context {
                    var rest = work[...]
                    while !rest.isEmpty {
                        let pieces = rest.prefix(Self.together)
                        rest = rest.dropFirst(Self.together)
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
