internal import Base
internal import Postgres
internal import Push
internal import StoreCore

// Why a device has a task, or has it not: its past tells whether it was addressed, its marks what became of the task, its cursor
// what is before it, and its connection's loop what is on its way.

extension StoreNode {
    /// How many pending rows are looked at for one that waits.
    private static let scan = 1_000

    func explain(
        _ task: TaskID, to token: DeviceToken, within scope: OrgID?, patience: Duration
    ) async throws(StoreError) -> Explanation {
        let device = try await self.device(token, within: scope)
        let unacknowledged = try await inquire(about: device, patience: patience)
        let found = try await find(task, of: nil, within: scope)
        let past = try await past(of: device.ordinal, since: found.row.seq)
        let standing = standing(of: past, found)
        let state = standing == .addressed || standing == .joined ? past.map { found.state(of: $0.history) } : nil
        // A configuration that was joined stands where it was joined, under the number of its task.
        var place = standing == .addressed ? found.row.seq : nil
        let now = time.wall(at: options.boot())
        var wait: Explanation.Wait?
        if state == .pending {
            let page = try await missed(by: device, after: device.cursor, limit: Self.scan)
            let rows = page?.rows ?? []
            let index = rows.firstIndex { $0.task == found.row.seq }
            if let index { place = rows[index].seq }
            let ahead = rows[..<(index ?? rows.count)]
            var behind: TaskID?
            if let first = ahead.first { behind = try await named(first, within: scope) }
            wait = Explanation.Wait(
                ahead: ahead.count, isMore: index == nil && !(page?.isLast ?? true), behind: behind,
                unacknowledged: unacknowledged, now: now)
        }
        return Explanation(
            task: found.report(as: task, isOfOperator: true), device: device.device, standing: standing, state: state,
            detail: state == .rejected ? past?.rejection : nil,
            membership: membership(of: past, at: found.row.seq, within: scope),
            wait: wait, message: place.flatMap { place in unacknowledged?.messages.first { $0.position.raw == place } }, now: now)
    }

    /// A device's past from a task on (`explain_1`).
    private struct Past {
        let history: MembershipHistory
        /// Where it belonged when the task was accepted.
        let organisation: OrgID?
        let user: UserID?
        /// By which reason code it has rejected the task.
        let rejection: String?
    }

    private func past(of ordinal: UInt32, since seq: UInt64) async throws(StoreError) -> Past? {
        var arguments = PostgresArguments()
        arguments.append(int8: Int64(ordinal))
        arguments.append(int8: Int64(bitPattern: seq))
        let rows = try await read(Statements.explain, arguments)
        guard rows.count == 1 else { return nil }
        return try decoded { () throws(PostgresShapeError) in
            Past(
                history: try MembershipHistory(rows, 0), organisation: try rows.name(0, 16).map { OrgID(unchecked: $0) },
                user: try rows.name(0, 17).map { UserID(unchecked: $0) }, rejection: try rows.name(0, 18))
        }
    }

    private func standing(of past: Past?, _ task: FoundTask) -> Explanation.Standing {
        guard let history = past?.history else { return .unregistered }
        if directory.wasAddressed(history, by: task.row) { return .addressed }
        if task.marks.contains(.joined, history.ordinal) { return .joined }
        return history.membership(at: task.row.seq) == nil ? .unregistered : .outside
    }

    private func membership(of past: Past?, at seq: UInt64, within scope: OrgID?) -> Explanation.Membership? {
        guard let past, let membership = past.history.membership(at: seq), let organisation = past.organisation,
            directory.isInside(membership.organisation.index, scope)
        else { return nil }
        return Explanation.Membership(
            organisation: organisation, user: membership.user == nil ? nil : past.user, test: membership.test)
    }

    /// The number of a task, where it may be told.
    private func named(_ entry: LogEntry, within scope: OrgID?) async throws(StoreError) -> TaskID? {
        if scope != nil {
            var arguments = PostgresArguments()
            arguments.append(int8: Int64(bitPattern: entry.task))
            arguments.append(name: scope?.text)
            let rows = try await read(Statements.inside, arguments)
            guard try decoded({ () throws(PostgresShapeError) in try rows.bool(0, 0) }) ?? false else { return nil }
        }
        return directory.tasks.id(of: entry.task)
    }
}
