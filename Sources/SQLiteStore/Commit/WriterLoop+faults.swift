internal import StoreCore

// A decision that would fail however often it were tried takes nobody down with it: its transaction is undone and done again
// without it. So a savepoint for each of a thousand good ones is paid by none of them.

extension WriterLoop {
    /// Where a transaction was when it failed.
    enum Place {
        /// In the job of that index.
        case job(Int)
        /// In a slice of an import, or of what follows from a change of the directory.
        case work
        /// Beginning, or writing what all of it had changed.
        case outside
    }

    /// Of more than so many jobs at fault in one transaction, all that it had are refused: then it is not the jobs.
    private static let mostFaults = 8

    /// Undoes a transaction in which something was at fault, and does the rest of it.
    ///
    /// A call that is at fault is certainly not done (2302). What follows from a change of the directory is given up where it
    /// fails although it is done alone, and whoever waits for that change is left in doubt (2901): it has taken effect, but not
    /// as a whole. A line of an import is one that failed (2901), and the import goes on.
    /// - Returns: the steps of work that were done then; `nil` where nothing is to be blamed, and nothing was done about it.
    func isolate(_ jobs: [Job], at place: Place, _ work: Work, flushing: Bool, after error: SQLiteError) -> Int? {
        guard error.effect == .fault, faultsAtOnce < Self.mostFaults else { return nil }
        let index: Int
        switch place {
        case .job(let number): index = number
        case .work where isBlamed(work): index = jobs.count
        case .work, .outside: return nil
        }
        let outcome = transaction.rollback(error)
        decisions.imports.undone()
        guard transaction.failure == nil, !transaction.isStale else {
            settle(jobs, done: index, outcome, after: error)
            return 0
        }
        faultsAtOnce += 1
        defer { faultsAtOnce -= 1 }
        // What was heard before is remembered already.
        var rest = jobs[..<index].filter { $0.kind != .fact }
        guard index < jobs.count else {
            blame(work, error)
            return rest.isEmpty ? 0 : transact(rest, .nothing, flushing: flushing).steps
        }
        let job = jobs[index]
        if job.kind == .directory, decisions.followUp.isInline {
            // It may be what follows from it that is at fault: that is done apart.
            decisions.followUp.isInline = false
            defer { decisions.followUp.isInline = true }
            return transact(rest + jobs[index...], work, flushing: flushing).steps
        }
        rest += jobs[(index + 1)...]
        decisions.faults.tell("a call was refused", error)
        let steps = rest.isEmpty && work == .nothing ? 0 : transact(rest, work, flushing: flushing).steps
        answer(job, job.fail(outcome))
        return steps
    }

    private func isBlamed(_ work: Work) -> Bool {
        switch work {
        case .nothing: false
        case .importing: decisions.imports.isTryingLine
        case .followingUp: decisions.followUp.isDoing
        }
    }

    private func blame(_ work: Work, _ error: SQLiteError) {
        switch work {
        case .nothing: break
        case .importing: decisions.imports.wasAtFault(error)
        case .followingUp: decisions.followUp.wasAtFault(error)
        }
    }
}
