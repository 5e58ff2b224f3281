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
        /// Unix milliseconds: `from` ≤ `created` < `to`.
        let from: Int64
        let to: Int64
        /// Unix milliseconds: what has expired by then is expired.
        let now: Int64
    }

    /// How far an answer has come. Each slice has a snapshot of its own: one long snapshot would keep the write-ahead log from
    /// beginning anew.
    struct Progress: Sendable {
        var totals = TagTotals()
        fileprivate let question: Question
        /// The number of the app.
        fileprivate let app: Int64
        /// Unix milliseconds: sums may be of a later time than the question.
        fileprivate let now: Int64
        /// What is still to be looked at.
        fileprivate var stretches: [Stretch] = []
        /// Tasks that were counted one by one.
        fileprivate(set) var counted = 0

        var isDone: Bool { stretches.isEmpty }
    }

    /// Tasks of these positions and times are looked at one by one.
    fileprivate struct Stretch: Sendable {
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
        let mark = try tables.totals.mark()
        var progress = Progress(question: question, app: app ?? 0, now: max(question.now, mark.expiredAt))
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
        if mark.upTo < view.head {
            progress.stretches.append(Stretch(after: mark.upTo, upTo: view.head, from: from, to: to))
        }
        return progress
    }

    /// A part of an hour is to be looked at, if it is one.
    private func add(hour: Int64, _ from: Int64, _ to: Int64, to progress: inout Progress) throws(SQLiteError) {
        guard from < to else { return }
        if let range = try tables.totals.positions(app: progress.app, tag: progress.question.tag, hour: hour) {
            progress.stretches.append(Stretch(after: range.lowerBound - 1, upTo: range.upperBound, from: from, to: to))
        }
    }

    private static func hour(_ time: Int64) -> Int64 { time / TotalKey.hourLength }

    // MARK: Task by task

    /// Looks at so many tasks, or at all that are left.
    func advance(_ progress: inout Progress, limit: Int, _ view: Tail.View) throws(SQLiteError) {
        var left = limit
        while left > 0, var stretch = progress.stretches.first {
            let found = try positions(of: progress, stretch, limit: left, view)
            for seq in found {
                guard let task = try tables.totals.counts(of: seq, at: progress.now) else { continue }
                guard stretch.from <= task.created, task.created < stretch.to else { continue }
                progress.counted += 1
                progress.totals.tasks += 1
                progress.totals.counts += task.counts
            }
            if found.count < left {
                progress.stretches.removeFirst()
            } else {
                stretch.after = found.last ?? stretch.upTo
                progress.stretches[0] = stretch
            }
            left -= found.count
        }
    }

    /// Positions of a stretch, ascending, from the index and the tail.
    private func positions(
        of progress: Progress, _ stretch: Stretch, limit: Int, _ view: Tail.View
    ) throws(SQLiteError) -> [UInt64] {
        let (app, tag, before) = (progress.app, progress.question.tag, stretch.upTo + 1)
        var found = try tables.indexes.positions(ofApp: app, tag: tag, after: stretch.after, before: before, limit: limit)
        for generation in view.generations where found.count < limit {
            found += generation.positions(
                ofApp: app, tag: tag, after: found.last ?? stretch.after, before: before, limit: limit - found.count)
        }
        return found
    }
}
