internal import Base
internal import Postgres
internal import Push
internal import StoreCore

// What follows from changes of the directory. The node that made a change does it, and any other one when it stands still.

extension StoreNode {
    /// After so long without any progress another node goes on.
    private static let standstill = Duration.milliseconds(1_500)
    /// Jobs that are looked at in one go.
    private static let most: Int32 = 64
    /// Does everything that is left to do, with other nodes' help or without.
    /// - Returns: a position that every node has to apply until it has all of it.
    func followUp() async throws(StoreError) -> UInt64 {
        while isFollowingUp, !isClosing { await jobBell.wait(atMost: options.pause) }
        isFollowingUp = true
        defer {
            isFollowingUp = false
            jobBell.ring()
        }
        var position: UInt64 = 0
        while case let jobs = try await jobs(atMost: Self.most).jobs, !jobs.isEmpty {
            try await untilFollowed(Int64(bitPattern: jobs[0].position))
            try await untilSettled(jobs[0])
            while !options.mayFollowUp() {
                if isClosing { throw .unknown }
                await jobBell.wait(atMost: options.pause)
            }
            let start = MonotonicClock.nanoseconds
            let slice = try await slice(of: jobs)
            let outcome = await timely(lane, Statements.followUp) { slice.append(to: &$0) }
            jobFaults.note(outcome, of: jobs[0])
            let rows = try result(outcome)
            figures.record(.slice, MonotonicClock.nanoseconds - start)
            guard let isDone = try? rows.bool(0, 0), let head = try? rows.position(0, 1) else { throw .unknown }
            position = max(position, head)
            bell.ring()
            if !isDone { await jobBell.wait(atMost: options.pause) }
        }
        return position
    }

    private func jobs(atMost limit: Int32) async throws(StoreError) -> JobQueue {
        if isClosing { throw .unknown }
        var arguments = PostgresArguments()
        arguments.append(int4: limit)
        let rows = try await ask(reads, Statements.jobs, arguments)
        do throws(PostgresShapeError) { return try JobQueue(rows) } catch {
            options.log("jobs cannot be read: \(error)")
            throw .unavailable(retryAfter: retryAfter)
        }
    }

    /// Whether anything is left to do, here or anywhere; also where nobody can tell.
    func hasJobs() async -> Bool {
        guard !isFollowingUp, let queue = try? await jobs(atMost: 1) else { return true }
        return queue.front != nil
    }

    /// Until every node has written what devices had acknowledged when it heard of the change: what they tell later loses.
    private func untilSettled(_ job: Job) async throws(StoreError) {
        if job.kind.withdraws, job.place == 0 { try await untilApplied(job.position) }
    }

    /// Decides a slice. What cannot be done, however often it is tried, is given up.
    private func slice(of jobs: [Job]) async throws(StoreError) -> JobSlice {
        let job = jobs[0]
        if jobFaults.isHopeless(job) {
            options.log("what follows from a change of the directory was given up (\(job.kind), \(job.subject), \(job.object))")
            return JobSlice(job)
        }
        lookUpFailure = nil
        do throws(PostgresShapeError) {
            // Of several it is not known whose fault it was.
            if let slice = try await decide(jobFaults.isSuspect(job) ? [job] : jobs) { return slice }
        } catch {
            if lookUpFailure == nil {
                jobFaults.noteShape(of: job)
                options.log("what follows from a change of the directory cannot be read: \(error)")
            }
        }
        if let failure = lookUpFailure {
            jobFaults.note(failure, of: job)
            options.log("what follows from a change of the directory cannot be looked up: \(failure.reason)")
        }
        throw .unavailable(retryAfter: retryAfter)
    }

    /// What a look-up for a slice has found.
    func lookedUp(_ outcome: PostgresOutcome) -> PostgresRows? {
        if case .rows(let rows) = outcome { return rows }
        lookUpFailure = outcome
        return nil
    }

    private func decide(_ jobs: [Job]) async throws(PostgresShapeError) -> JobSlice? {
        let job = jobs[0]
        switch job.kind {
        case .enterAll where job.place == 0:
            return try await enterAll(Array(jobs.prefix { $0.kind == .enterAll && $0.place == 0 }))
        case .enterAll: return try await enterAll([job])
        case .enter: return try await enter(job)
        case .joinSubtree: return try await joinSubtree(job)
        case .joinUser: return try await joinUser(job)
        case .joinDevice: return try await joinDevice(job)
        case .withdraw: return try await withdraw(job) { _ in true }
        case .withdrawTests: return try await withdraw(job) { $0.isTestOnly }
        case .cancelAll: return try await cancelAll(job)
        }
    }

    /// Until nothing is left to do of the changes of all nodes: only then the next one is taken.
    func untilFollowedUp() async throws(StoreError) {
        var (seen, since) = (JobQueue.Front?.none, ContinuousClock.now)
        while case let queue = try await jobs(atMost: 1), let front = queue.front {
            if front != seen { (seen, since) = (front, .now) }
            if ContinuousClock.now - since < Self.standstill {
                await jobBell.wait(atMost: isFollowingUp ? Self.standstill : options.pause)
            } else if queue.isBeyond {
                options.log("what follows from a change of the directory is left to a node of a later version")
                throw .unavailable(retryAfter: retryAfter)
            } else {
                _ = try await followUp()
            }
        }
    }

    /// Looks now and then whether the log is to be extended, whether something stands still, as who did it may have died, and
    /// whether it is time to forget what is old. It waits for none of the last two.
    func watchJobs() async {
        var (seen, looks) = (JobQueue.Front?.none, 0)
        while !isClosing {
            await watchBell.wait(atMost: Self.standstill)
            guard !isClosing else { return }
            looks -= 1
            if looks <= 0 { looks = rest(after: await extendLog()) }
            guard !isClosing, !isFollowingUp, let queue = try? await jobs(atMost: 1) else { continue }
            let front = queue.isBeyond ? nil : queue.front
            if front != nil, front == seen { work { _ = try? await $0.followUp() } }
            seen = front
            if queue.front == nil { work { await $0.sweepIfDue() } }
        }
    }
}
