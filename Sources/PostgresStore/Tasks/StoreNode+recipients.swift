internal import Postgres
internal import Push
internal import StoreCore

// Who has a task and who has not: the devices that it addressed, found again from their past, and those that joined it. The task
// is read first: whom it addressed changes no more.

extension StoreNode {
    /// How many devices one page looks at.
    private static let scan = 1_000

    func recipients(
        of task: TaskID, to app: AppKey?, within scope: OrgID?, state: RecipientState, after: PageToken?, limit: Int
    ) async throws(StoreError) -> Page<Recipient> {
        let found = try await find(task, of: app, within: scope)
        if let event = state.eventNumber {
            return try await events(event, of: found, within: scope, after: after, limit: limit)
        }
        var walk = RecipientWalk(task: found, state: state, scope: scope, limit: limit, left: Self.scan)
        if let after {
            guard let place = RecipientPlace(after) else { throw PageToken.refusal(of: after) }
            walk.place = place
        }
        if case .member(let org, let last) = walk.place { try await lookAtMembers(from: org, after: last, &walk) }
        if case .joined(let last) = walk.place, !walk.isFull { try await lookAtJoined(after: last, &walk) }
        return Page(items: walk.items, next: walk.place?.token)
    }

    private func lookAtMembers(from org: UInt32, after: UInt32?, _ walk: inout RecipientWalk) async throws(StoreError) {
        var arguments = PostgresArguments()
        arguments.append(int8: walk.task.row.target.raw)
        arguments.append(int8: Int64(bitPattern: walk.task.row.seq))
        arguments.append(int4: Int32(bitPattern: org))
        arguments.append(int8: after.map { Int64($0) })
        arguments.append(int4: Int32(Self.scan))
        let rows = try await read(Statements.recipients, arguments)
        do throws(PostgresShapeError) {
            guard rows.count > 0 else { throw .end }
            for row in 0..<rows.count - 1 {
                let history = try MembershipHistory(rows, row)
                let listed = UInt32(bitPattern: try rows.present4(row, 16))
                walk.look(at: history, in: listed, directory)
                if walk.isFull { return }
            }
            let last = rows.count - 1
            let after = try rows.int8(last, 17).map { UInt32(truncatingIfNeeded: $0) }
            let next = try rows.int4(last, 16).map { RecipientPlace.member(org: UInt32(bitPattern: $0), after: after) }
            walk.place = next ?? .joined(after: nil)
        } catch {
            try decoded { () throws(PostgresShapeError) in throw error }
        }
    }

    private func lookAtJoined(after: UInt32?, _ walk: inout RecipientWalk) async throws(StoreError) {
        let most = max(1, walk.left)
        let joined = walk.task.marks.members(.joined, after: after, limit: most)
        guard !joined.isEmpty else { return walk.place = nil }
        var arguments = PostgresArguments()
        arguments.append(each: joined, int8: { Int64($0) })
        arguments.append(each: joined, int8: { _ in Int64(bitPattern: walk.task.row.seq) })
        let rows = try await read(Statements.histories, arguments)
        let histories = try decoded { () throws(PostgresShapeError) in
            var histories: [UInt32: MembershipHistory] = [:]
            for row in 0..<rows.count {
                let history = try MembershipHistory(rows, row)
                histories[history.ordinal] = history
            }
            return histories
        }
        for ordinal in joined {
            walk.lookAtJoined(ordinal, histories[ordinal], directory)
            if walk.isFull { return }
        }
        if joined.count < most { walk.place = nil }
    }

    private func events(
        _ event: Int64, of task: FoundTask, within scope: OrgID?, after: PageToken?, limit: Int
    ) async throws(StoreError) -> Page<Recipient> {
        var last: Int64 = -1
        if let after {
            guard let ordinal = UInt32(after.text) else { throw PageToken.refusal(of: after) }
            last = Int64(ordinal)
        }
        var arguments = PostgresArguments()
        arguments.append(int8: Int64(bitPattern: task.row.seq))
        arguments.append(int4: Int32(event))
        arguments.append(name: scope?.text)
        arguments.append(int8: last)
        arguments.append(int4: Int32(clamping: limit))
        let rows = try await read(Statements.events, arguments)
        return try decoded { () throws(PostgresShapeError) in
            var items: [Recipient] = []
            for row in 0..<rows.count where try rows.bool(row, 4) ?? false {
                items.append(
                    Recipient(
                        device: DeviceToken(unchecked: try rows.name(row, 1) ?? ""), detail: try rows.name(row, 2),
                        isFormer: try rows.bool(row, 3) ?? false))
            }
            let next = rows.count < limit || rows.count == 0 ? nil : try rows.present8(rows.count - 1, 0)
            return Page(items: items, next: next.map { PageToken($0) })
        }
    }
}

/// A page of a list of a task's devices as it comes together.
private struct RecipientWalk {
    let task: FoundTask
    let state: RecipientState
    let scope: OrgID?
    let limit: Int
    /// How many devices may still be looked at.
    var left: Int
    /// Where the list goes on; `nil`: it has ended.
    var place: RecipientPlace? = .start
    private(set) var items: [Recipient] = []

    init(task: FoundTask, state: RecipientState, scope: OrgID?, limit: Int, left: Int) {
        self.task = task
        self.state = state
        self.scope = scope
        self.limit = limit
        self.left = left
    }

    var isFull: Bool { items.count >= limit || left <= 0 }

    /// A device that was ever in the target, among those of an organisation of it.
    mutating func look(at history: MembershipHistory, in org: UInt32, _ directory: DirectoryState) {
        left -= 1
        place = .member(org: org, after: history.ordinal)
        guard directory.wasAddressed(history, by: task.row) else { return }
        // One that was in another organisation of the target when the task was accepted is listed there.
        if task.row.target.kind == .organisation && history.organisation(at: task.row.seq) != org { return }
        list(history, directory)
    }

    /// - Parameter history: `nil` of a device that is forgotten.
    mutating func lookAtJoined(_ ordinal: UInt32, _ history: MembershipHistory?, _ directory: DirectoryState) {
        left -= 1
        place = .joined(after: ordinal)
        if let history { list(history, directory) }
    }

    private mutating func list(_ history: MembershipHistory, _ directory: DirectoryState) {
        guard directory.isInside(history, scope), task.state(of: history) == state else { return }
        let isFormer = history.retired != MembershipHistory.forever
        items.append(Recipient(device: DeviceToken(unchecked: history.token), detail: nil, isFormer: isFormer))
    }
}

extension RecipientState {
    /// The number under which devices tell it; `nil`: it is no event.
    fileprivate var eventNumber: Int64? {
        self == .rejected ? Self.rejectionNumber : ReceiptEvent(rawValue: rawValue)?.number
    }
}
