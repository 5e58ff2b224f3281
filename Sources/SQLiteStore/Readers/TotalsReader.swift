internal import Base
internal import Push
internal import StoreCore

/// Sums up an app's tasks with a tag: whole hours are summed already; what is not summed yet, and what lies in an hour that the
/// time asked for cuts, is looked at task by task.
struct TotalsReader {
    let context: Reader.Context

    /// What is asked.
    struct Question: Sendable {
        let app: AppKey
        let tag: ExactText
        /// As people see it, Unix milliseconds: `from` ≤ `created_at` < `to`.
        let from: Int64
        let to: Int64
        /// Store time: what has expired by then is expired.
        let now: Int64
    }

    /// How far an answer has come. Each slice has a snapshot of its own: one long snapshot would keep the write-ahead log from
    /// beginning anew.
    struct Progress: Sendable {
        var totals = TagTotals()
        fileprivate let question: Question
        /// The number of the app.
        fileprivate let app: Int64
        /// What is still to be looked at.
        fileprivate var parts: [Part] = []
        /// Tasks that were counted one by one.
        fileprivate(set) var counted = 0

        var isDone: Bool { parts.isEmpty }
    }

    /// Tasks of these positions and times are looked at one by one.
    fileprivate struct Part: Sendable {
        var after: UInt64
        let upTo: UInt64
        let from: Int64
        let to: Int64
    }

    private var tables: Tables { context.tables }

    // MARK: Whole hours

    /// Takes what is summed.
    func begin(_ question: Question, _ view: Tail.View) throws(SQLiteError) -> Progress {
        let app = try tables.apps.number(of: question.app)
        let summed = try tables.totals.upTo()
        var progress = Progress(question: question, app: app ?? 0)
        let (from, to) = (question.from, question.to)
        guard let app, from < to else { return progress }
        let (first, end) = (Self.hour(from) + (from % TotalKey.hourLength == 0 ? 0 : 1), Self.hour(to))
        if first > end {
            // Both lie in one hour.
            try add(hour: end, from, to, to: &progress)
        } else {
            progress.totals = try tables.totals.sum(app: app, tag: question.tag, from: first, before: end)
            try add(hour: first - 1, from, first * TotalKey.hourLength, to: &progress)
            try add(hour: end, end * TotalKey.hourLength, to, to: &progress)
        }
        if summed < view.head {
            progress.parts.append(Part(after: summed, upTo: view.head, from: from, to: to))
        }
        return progress
    }

    /// A part of an hour is to be looked at, if it is one.
    private func add(hour: Int64, _ from: Int64, _ to: Int64, to progress: inout Progress) throws(SQLiteError) {
        guard from < to else { return }
        if let range = try tables.totals.positions(app: progress.app, tag: progress.question.tag, hour: hour) {
            progress.parts.append(Part(after: range.lowerBound - 1, upTo: range.upperBound, from: from, to: to))
        }
    }

    private static func hour(_ time: Int64) -> Int64 { time / TotalKey.hourLength }

    // MARK: Task by task

    /// Looks at so many tasks, or at all that are left.
    func advance(_ progress: inout Progress, limit: Int, _ view: Tail.View) throws(SQLiteError) {
        var left = limit
        let stretches = tables.messages.stretches
        while left > 0, var part = progress.parts.first {
            let found = try positions(of: progress, part, limit: left, view)
            for seq in found {
                guard let task = try tables.totals.counts(of: seq, at: progress.question.now, stretches[seq]) else { continue }
                guard part.from <= task.createdAt, task.createdAt < part.to else { continue }
                progress.counted += 1
                progress.totals.tasks += 1
                progress.totals.counts += task.counts
            }
            if found.count < left {
                progress.parts.removeFirst()
            } else {
                part.after = found.last ?? part.upTo
                progress.parts[0] = part
            }
            left -= found.count
        }
    }

    /// Positions of a part, ascending, from the index and the tail.
    private func positions(
        of progress: Progress, _ part: Part, limit: Int, _ view: Tail.View
    ) throws(SQLiteError) -> [UInt64] {
        let (app, tag, before) = (progress.app, progress.question.tag, part.upTo + 1)
        var found = try tables.indexes.positions(ofApp: app, tag: tag, after: part.after, before: before, limit: limit)
        for generation in view.generations where found.count < limit {
            found += generation.positions(
                ofApp: app, tag: tag, after: found.last ?? part.after, before: before, limit: limit - found.count)
        }
        return found
    }
}
