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
    /// The log's end is looked at each minute.
    private static let ticksOfExtension = 40
    /// How often a job that the database refuses is tried.
    private static let attempts = 5

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
        while case let jobs = try await jobs(atMost: Self.most), !jobs.isEmpty {
            try await untilFollowed(Int64(bitPattern: jobs[0].position))
            try await untilSettled(jobs[0])
            while !options.mayFollowUp() {
                if isClosing { throw .unknown }
                await jobBell.wait(atMost: options.pause)
            }
            let start = MonotonicClock.nanoseconds
            let slice = try await slice(of: jobs)
            let rows = try result(await timely(lane, Statements.followUp, { slice.append(to: &$0) }))
            figures.record(.slice, MonotonicClock.nanoseconds - start)
            guard let isDone = try? rows.bool(0, 0), let head = try? rows.position(0, 1) else { throw .unknown }
            position = max(position, head)
            bell.ring()
            if !isDone { await jobBell.wait(atMost: options.pause) }
        }
        return position
    }

    private func jobs(atMost limit: Int32) async throws(StoreError) -> [Job] {
        if isClosing { throw .unknown }
        var arguments = PostgresArguments()
        arguments.append(int4: limit)
        let rows = try await ask(reads, Statements.jobs, arguments)
        do throws(PostgresShapeError) {
            var jobs: [Job] = []
            for row in 0..<rows.count { if let job = try Job(rows, row) { jobs.append(job) } }
            return jobs
        } catch {
            options.log("jobs cannot be read: \(error)")
            throw .unavailable(retryAfter: retryAfter)
        }
    }

    /// Until every node has written what devices had acknowledged when it heard of the change: what they tell later loses.
    private func untilSettled(_ job: Job) async throws(StoreError) {
        if job.kind.withdraws, job.place == 0 { try await untilApplied(job.position) }
    }

    /// Decides a slice. What cannot be decided, however often it is tried, is given up.
    private func slice(of jobs: [Job]) async throws(StoreError) -> JobSlice {
        let slice: JobSlice?
        do throws(PostgresShapeError) {
            slice = try await decide(jobs)
            jobFaults = 0
        } catch {
            jobFaults += 1
            options.log("what follows from a change of the directory cannot be read: \(error)")
            guard jobFaults >= Self.attempts else { throw .unavailable(retryAfter: retryAfter) }
            options.log("what follows from a change of the directory was given up (\(jobs[0].kind), \(jobs[0].subject))")
            return JobSlice(jobs[0])
        }
        guard let slice else { throw .unavailable(retryAfter: retryAfter) }
        return slice
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
        var (seen, since) = (StandingJob?.none, ContinuousClock.now)
        while let first = try await jobs(atMost: 1).first {
            let standing = StandingJob(number: first.number, place: first.place)
            if standing != seen { (seen, since) = (standing, .now) }
            if ContinuousClock.now - since >= Self.standstill {
                _ = try await followUp()
            } else {
                await jobBell.wait(atMost: isFollowingUp ? Self.standstill : options.pause)
            }
        }
    }

    /// Looks now and then whether something stands still, as who did it may have died, and whether it is time to forget what is
    /// old.
    func watchJobs() async {
        var (seen, ticks) = (StandingJob?.none, 0)
        while !isClosing {
            await watchBell.wait(atMost: Self.standstill)
            guard !isClosing, !isFollowingUp, let jobs = try? await jobs(atMost: 1) else { continue }
            let first = jobs.first.map { StandingJob(number: $0.number, place: $0.place) }
            if first != nil, first == seen { _ = try? await followUp() }
            seen = first
            guard first == nil else { continue }
            if ticks % Self.ticksOfExtension == 0 { await extendLog() }
            ticks += 1
            await sweepIfDue()
        }
    }
}

/// How far the first of the jobs has come.
private struct StandingJob: Hashable {
    let number: Int64
    let place: Int64
}
