internal import Base
internal import Postgres
internal import Push
internal import StoreCore

// What a device has still to get: the database counts, and its connection's loop knows what is on its way.

extension StoreNode {
    /// How many rows are looked at in one piece of work: pages wait for no more than that.
    private static let slice = 500

    func backlog(of token: DeviceToken, patience: Duration) async throws(StoreError) -> Backlog {
        let found = try await device(token, within: nil)
        let unacknowledged = try await inquire(about: found, patience: patience)
        let now = time.wall(at: options.boot())
        await writeFacts()
        var (count, looked, position) = (0, 0, found.cursor)
        while looked < Backlog.most {
            let limit = min(Self.slice, Backlog.most - looked)
            guard let page = try await missed(by: found, after: position, limit: limit) else {
                throw .refused(Refusal(.noSuchDevice, field: "device_token"))
            }
            count += page.rows.count
            if page.isLast { return Backlog(pending: count, isMore: false, unacknowledged: unacknowledged, now: now) }
            looked += page.looked
            position = page.lookedUpTo
        }
        return Backlog(pending: count, isMore: true, unacknowledged: unacknowledged, now: now)
    }

    /// What a device has missed, oldest first.
    struct MissedPage {
        /// Those that are for it still, without what they say.
        var rows: [LogEntry] = []
        var looked = 0
        var lookedUpTo: UInt64
        /// Nothing lies behind it.
        var isLast = true
    }

    /// - Returns: `nil` where the device has another holder by now.
    func missed(by found: DeviceRow, after: UInt64, limit: Int) async throws(StoreError) -> MissedPage? {
        var arguments = PostgresArguments()
        arguments.append(int8Array: [Int64(found.ordinal)])
        arguments.append(int8Array: [Int64(bitPattern: after)])
        let histories = try await read(Statements.histories, arguments)
        guard histories.count == 1 else { return nil }
        let history = try decoded { () throws(PostgresShapeError) in try MembershipHistory(histories, 0) }
        guard history.retired == MembershipHistory.forever else { return nil }
        let targets = history.targets(after: after, parents: { directory.parents(of: $0) })
        var question = argumentsOfNow()
        question.append(int8: Int64(found.ordinal))
        question.append(each: targets, int8: { $0.value.raw })
        question.append(each: targets, int8: { Int64(bitPattern: max(after, $0.from)) })
        question.append(each: targets, int8: { Int64(bitPattern: $0.to) })
        // One more, to see whether it is the last page.
        question.append(int4: Int32(limit + 1))
        let rows = try await read(Statements.missed, question)
        return try decoded { () throws(PostgresShapeError) in
            var page = MissedPage(lookedUpTo: after)
            for row in 0..<rows.count {
                let entry = try LogEntry(rows, row)
                guard page.looked < limit else {
                    page.isLast = false
                    break
                }
                page.looked += 1
                page.lookedUpTo = entry.seq
                if entry.isTold, !found.beyond.contains(entry.seq), directory.isFor(history, entry) { page.rows.append(entry) }
            }
            return page
        }
    }
}
