internal import Postgres
internal import Push
internal import StoreCore

// What devices have missed: pages of the log, for many devices in one call.

/// A device's page that a loop waits for.
struct PageRequest: Sendable {
    let ordinal: UInt32
    let after: UInt64
    let limit: Int
    let loop: Int
    let answer: @Sendable (Result<Pending, StoreError>) -> Void
}

extension StoreNode {
    /// How many devices go in one call.
    private static let most = 64
    /// How many rows of one target are looked at in one page: expired rows lie among them.
    private static let scan = 256
    /// How many rows one call looks at, for all of its devices together.
    private static let rowsOfCall = 8_192

    func page(_ request: PageRequest) {
        guard isServing else {
            outbox.answer(request.loop, { request.answer(.failure(.unavailable(retryAfter: retryAfter))) })
            return sendAnswers()
        }
        if pages.add(request) { work { await $0.readPages() } }
    }

    private func readPages() async {
        while true {
            let batch = pages.next(atMost: Self.most)
            if batch.isEmpty { return }
            var answers: [Result<Pending, StoreError>]
            do throws(PostgresShapeError) {
                answers = try await read(batch)
            } catch {
                options.log("pages cannot be read: \(error)")
                answers = batch.map { _ in .failure(.unavailable(retryAfter: retryAfter)) }
            }
            for (request, answer) in zip(batch, answers) { outbox.answer(request.loop, { request.answer(answer) }) }
            sendAnswers()
            await waitForMore(after: batch.count, pages.waiting.count, of: Self.most, for: .milliseconds(5))
        }
    }

    /// A device's page as it comes together.
    private struct Reading {
        var history: MembershipHistory
        var lookedUpTo: UInt64
        var rows: [LogEntry] = []
    }

    private func read(_ batch: [PageRequest]) async throws(PostgresShapeError) -> [Result<Pending, StoreError>] {
        let unavailable = batch.map { _ in Result<Pending, StoreError>.failure(.unavailable(retryAfter: retryAfter)) }
        // What comes later comes by the feed.
        let last = head
        guard await reaches(last, reads) else { return unavailable }
        guard let histories = try await histories(batch, asOf: last) else { return unavailable }
        var intervals: [(index: Int32, interval: MembershipHistory.Interval<TargetKey>)] = []
        var readings: [Int: Reading] = [:]
        for (index, request) in batch.enumerated() {
            guard let history = histories[request.ordinal] else { continue }
            readings[index] = Reading(history: history, lookedUpTo: max(last, request.after))
            // The holder is gone: what was pending is withdrawn.
            guard history.retired == MembershipHistory.forever, request.after < last else { continue }
            for target in history.targets(after: request.after, parents: { directory.parents(of: $0) }) {
                let (low, high) = (max(request.after, target.from), min(target.to, last + 1))
                if low + 1 < high { intervals.append((Int32(index), .init(target.value, from: low, to: high))) }
            }
        }
        if !intervals.isEmpty {
            guard try await readRows(intervals, into: &readings) else { return unavailable }
        }
        return batch.indices.map { index in
            guard let reading = readings[index] else { return .failure(.refused(Refusal(.noSuchDevice))) }
            return .success(pending(reading, limit: batch[index].limit))
        }
    }

    /// Where the devices belonged. Of most of them that is known since they came.
    /// - Parameter head: how far this node has followed the log: what devices have settled beyond that they did elsewhere, where
    ///   more may have changed.
    private func histories(
        _ batch: [PageRequest], asOf head: UInt64
    ) async throws(PostgresShapeError) -> [UInt32: MembershipHistory]? {
        var histories: [UInt32: MembershipHistory] = [:]
        var unknown: [PageRequest] = []
        for request in batch {
            let arrival = sessions.takeArrival(request.ordinal)
            if request.after <= head, let history = arrival?.history(after: request.after, lastChange: lastMembership) {
                histories[request.ordinal] = history
            } else {
                unknown.append(request)
            }
        }
        if unknown.isEmpty { return histories }
        var arguments = PostgresArguments()
        arguments.append(each: unknown, int8: { Int64($0.ordinal) })
        arguments.append(each: unknown, int8: { Int64(bitPattern: $0.after) })
        guard case .rows(let rows) = await reads.call(PostgresCall(Statements.histories, arguments, deadline: options.patience))
        else {
            return nil
        }
        for row in 0..<rows.count {
            let history = try MembershipHistory(rows, row)
            histories[history.ordinal] = history
        }
        return histories
    }

    private func readRows(
        _ intervals: [(index: Int32, interval: MembershipHistory.Interval<TargetKey>)], into readings: inout [Int: Reading]
    ) async throws(PostgresShapeError) -> Bool {
        // Of many targets fewer rows each: a call is answered with a bounded number of them.
        let scan = max(8, min(Self.scan, Self.rowsOfCall / intervals.count))
        var arguments = PostgresArguments()
        arguments.append(int8: time.now(at: options.boot()))
        arguments.append(each: Array(intervals.indices), int4: { Int32($0) })
        arguments.append(each: intervals, int8: { $0.interval.value.raw })
        arguments.append(each: intervals, int8: { Int64(bitPattern: $0.interval.from) })
        arguments.append(each: intervals, int8: { Int64(bitPattern: $0.interval.to) })
        let doubtful = intervals.map { index, interval -> Int64? in
            guard let ordinal = readings[Int(index)]?.history.ordinal, let session = sessions[ordinal] else { return nil }
            return interval.from < session.doubtfulTo ? Int64(ordinal) : nil
        }
        arguments.append(each: doubtful, int8: { $0 })
        arguments.append(int4: Int32(scan))
        let call = PostgresCall(
            Statements.pages, arguments, deadline: options.patience, mostRows: 16 * intervals.count + Self.rowsOfCall,
            mostBytes: 64 << 20)
        guard case .rows(let rows) = await reads.call(call) else { return false }
        // Of an interval that has more than were looked at the rest is for the next page.
        var scanned: [Int: (count: Int, last: UInt64)] = [:]
        var unknownApps: Set<Int32> = []
        for row in 0..<rows.count {
            let number = Int(try rows.present4(row, 16))
            let index = Int(intervals[number].index)
            let entry = try LogEntry(rows, row)
            scanned[number] = ((scanned[number]?.count ?? 0) + 1, entry.seq)
            guard entry.isTold, let history = readings[index]?.history, directory.isFor(history, entry) else { continue }
            readings[index]?.rows.append(entry)
            if let app = entry.app, directory.appKeys[app] == nil { unknownApps.insert(app) }
        }
        for (number, found) in scanned where found.count >= scan {
            let index = Int(intervals[number].index)
            if let looked = readings[index]?.lookedUpTo { readings[index]?.lookedUpTo = min(looked, found.last) }
        }
        return try await learn(unknownApps)
    }

    /// Apps that were removed before this node came still have tasks.
    private func learn(_ apps: Set<Int32>) async throws(PostgresShapeError) -> Bool {
        guard !apps.isEmpty else { return true }
        var arguments = PostgresArguments()
        arguments.append(int4Array: Array(apps))
        guard case .rows(let rows) = await reads.call(PostgresCall(Statements.apps, arguments)) else { return false }
        for record in try AppRows(rows).records() where directory.appKeys[record.number] == nil { directory.set(record) }
        return true
    }

    /// Whether an organisation was another one, or below it, at a position that this node's directory has reached.
    func isBelow(_ org: UInt32, _ ancestor: UInt32, at seq: UInt64) -> Bool { directory.isBelow(org, ancestor, at: seq) }

    private func pending(_ reading: Reading, limit: Int) -> Pending {
        let rows = reading.rows.filter { $0.seq <= reading.lookedUpTo }.sorted { $0.seq < $1.seq }
        let lookedUpTo = rows.count > limit ? rows[limit].seq - 1 : reading.lookedUpTo
        let sent = rows.prefix(limit).compactMap { entry -> Row? in
            guard let app = entry.app.flatMap({ directory.appKeys[$0] }) else { return nil }
            facts.learn(entry)
            return entry.row(as: directory.tasks.id(of: entry.task), of: app)
        }
        let position = Position(raw: lookedUpTo)
        return Pending(
            rows: sent, lookedUpTo: position, membership: reading.history.membership(after: lookedUpTo), membershipAt: position)
    }
}

extension MembershipHistory {
    /// A row of `histories_1`.
    init(_ rows: PostgresRows, _ row: Int) throws(PostgresShapeError) {
        var organisations: [Interval<UInt32>] = []
        if var orgs = try rows.array(row, 11, of: .int4), var from = try rows.array(row, 12, of: .int8),
            var to = try rows.array(row, 13, of: .int8)
        {
            for _ in 0..<orgs.count {
                guard let org = try orgs.int4(), let first = try from.int8(), let last = try to.int8() else { throw .null }
                organisations.append(
                    Interval(UInt32(bitPattern: org), from: UInt64(bitPattern: first), to: UInt64(bitPattern: last)))
            }
        }
        let retired = try rows.position(row, 4)
        let org = UInt32(bitPattern: try rows.present4(row, 5))
        organisations.append(Interval(org, from: try rows.position(row, 6), to: retired))
        var users: [Interval<Int64>] = []
        if let holder = try rows.int8(row, 7) { users.append(Interval(holder, from: try rows.position(row, 8), to: retired)) }
        var tests: [Interval<Void>] = []
        if var from = try rows.array(row, 14, of: .int8), var to = try rows.array(row, 15, of: .int8) {
            for _ in 0..<from.count {
                guard let first = try from.int8(), let last = try to.int8() else { throw .null }
                tests.append(Interval((), from: UInt64(bitPattern: first), to: UInt64(bitPattern: last)))
            }
        }
        if try rows.bool(row, 9) ?? false { tests.append(Interval((), from: try rows.position(row, 10), to: retired)) }
        self.init(
            ordinal: UInt32(truncatingIfNeeded: try rows.present8(row, 0)), token: try rows.name(row, 1) ?? "",
            platform: Platform(number: Int64(try rows.present4(row, 2))), created: try rows.position(row, 3), retired: retired,
            organisations: organisations, users: users, tests: tests)
    }
}
