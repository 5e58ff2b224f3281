internal import Push
internal import StoreCore

extension Reader {
    /// What a reader works with; lives on its thread.
    final class Context {
        let tables: Tables
        let tail: Tail
        let tasks: TaskNumber
        /// Store time.
        let clock: @Sendable () -> Int64
        private let betweenTailAndSnapshot: @Sendable () -> Void
        private var keys: [Int64: AppKey] = [:]

        init(_ tables: Tables, tail: Tail, tasks: TaskNumber, clock: StoreClock, options: SQLiteStore.Options) {
            self.tables = tables
            self.tail = tail
            self.tasks = tasks
            self.clock = { clock.now }
            betweenTailAndSnapshot = options.tuning.betweenTailAndSnapshot
        }

        /// The moment that several pieces of work share.
        private var shared: Tail.View?
        private var isSharing = false
        /// What was read of this moment.
        let moment = Moment()
        /// What loops are to be told when the moment has passed, one post for each.
        private var answers: [(loop: Int, mailbox: any Mailbox, work: [Answer])] = []

        var database: Database { tables.database }

        /// Reads the log as of one moment: the tail first, then the snapshot, or rows fall between the two. See ``Tail``.
        func reading<Result>(_ body: (Tail.View) throws(SQLiteError) -> Result) throws(SQLiteError) -> Result {
            // Some errors end the transaction; the next piece of work begins another.
            if let shared, database.inTransaction { return try body(shared) }
            shared = nil
            let view = tail.view
            betweenTailAndSnapshot()
            moment.removeAll()
            guard isSharing else { return try database.reading { () throws(SQLiteError) in try body(view) } }
            try database.beginReading()
            shared = view
            return try body(view)
        }

        /// Pieces of work that wait at the same time read as of one moment, which is after each was handed in: the log's lock and
        /// the transaction are theirs together (12,000 instructions less for each of many).
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
            let sent = row.delivered(
                as: tasks.id(of: row.seq), of: try appKey(row.app), at: position, to: target, in: theLane)
            if isShared { moment.sent[position] = sent }
            return sent
        }

        /// An app's key by its number: it never changes.
        func appKey(_ number: Int64) throws(SQLiteError) -> AppKey {
            if let known = keys[number] { return known }
            guard let key = try tables.apps.key(of: number) else {
                throw SQLiteError.unreadable("app \(number) of a row is not there")
            }
            keys[number] = key
            return key
        }
    }
}
