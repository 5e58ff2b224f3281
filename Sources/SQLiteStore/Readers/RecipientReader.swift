internal import Push
internal import StoreCore

/// Who has a task and who has not: the devices that it addressed, found again from their intervals, and those that joined it.
struct RecipientReader {
    let context: Reader.Context
    let now: Int64
    /// Outside of which no device is named.
    var scope: ScopeView?

    /// Devices that one page looks at.
    private static let scan = 4_000

    private var tables: Tables { context.tables }

    /// - Returns: `nil` for a token that no list of this task gave out.
    func page(
        of row: StoredRow, state: RecipientState, after: PageToken?, limit: Int
    ) throws(SQLiteError) -> Page<Recipient>? {
        if let event = ReceiptEvent(rawValue: state.rawValue) {
            return try events(event.number, of: row, after: after, limit: limit)
        }
        if state == .rejected {
            return try events(RecipientState.rejectionNumber, of: row, after: after, limit: limit)
        }
        let counters = try tables.receipts.receipts(of: row)
        guard let place = after.map({ RecipientPlace($0) }) ?? .start else { return nil }
        var walk = Walk(place: place, left: Self.scan)
        var items: [Recipient] = []
        let organisations = try organisations(of: row)
        while items.count < limit, walk.left > 0, let device = try next(&walk, row, organisations, counters) {
            guard let history = try tables.devices.history(of: device.ordinal, since: row.seq) else { continue }
            if let org = device.member {
                guard try tables.wasAddressed(history, by: row) else { continue }
                // One that was in another organisation of the target when the task was accepted is listed there.
                if row.target.kind == .organisation && history.organisation(at: row.seq) != org { continue }
            }
            guard isInside(history), try self.state(of: history, row, counters) == state else { continue }
            let isFormer = history.retired != MembershipHistory.forever
            items.append(Recipient(device: DeviceToken(unchecked: history.token), detail: nil, isFormer: isFormer))
        }
        return Page(items: items, next: walk.isAtEnd ? nil : walk.place.token)
    }

    /// Whether a device, or one that was, is inside of the scope.
    private func isInside(_ history: MembershipHistory) -> Bool {
        guard let scope else { return true }
        return history.organisations.last.map { scope.contains($0.value) } ?? false
    }

    private struct Walk {
        var place: RecipientPlace
        /// Devices that may still be looked at for this page.
        var left: Int
        var isAtEnd = false
        var waiting: ArraySlice<UInt32> = []
    }

    /// What became of a task at a device that it was for.
    func state(
        of history: MembershipHistory, _ row: StoredRow, _ counters: TaskReceipts
    ) throws(SQLiteError) -> RecipientState {
        if try tables.receipts.has(.delivered, history.ordinal, in: counters) { return .delivered }
        if try tables.receipts.has(.withdrawn, history.ordinal, in: counters) { return .withdrawn }
        if try tables.receipts.has(.skipped, history.ordinal, in: counters) { return .skippedOversize }
        if try tables.receipts.has(.rejected, history.ordinal, in: counters) { return .rejected }
        if row.audience.leavesOut(history.platform) { return .skippedOversize }
        return RecipientState(restOf: counters.status(of: row, at: now))
    }

    /// The organisations whose devices may have been addressed; one that stands for all where the target is no organisation.
    private func organisations(of row: StoredRow) throws(SQLiteError) -> [UInt32] {
        guard row.target.kind == .organisation else { return [0] }
        return try tables.organisations.subtree(of: row.target.shortID, at: row.seq)
    }

    /// The next device to look at, moving the walk past it.
    private func next(
        _ walk: inout Walk, _ row: StoredRow, _ organisations: [UInt32], _ counters: TaskReceipts
    ) throws(SQLiteError) -> (ordinal: UInt32, member: UInt32?)? {
        while walk.waiting.isEmpty {
            switch walk.place {
            case .member(let org, let after):
                guard let current = organisations.first(where: { $0 >= org }) else {
                    walk.place = .joined(after: nil)
                    continue
                }
                let from = current == org ? after : nil
                walk.waiting = try candidates(row, current, after: from, limit: max(1, walk.left))[...]
                walk.place = walk.waiting.isEmpty ? .member(org: current + 1, after: nil) : .member(org: current, after: from)
            case .joined(let after):
                walk.waiting = try tables.receipts.members(.joined, of: counters, after: after, limit: max(1, walk.left))[...]
                if walk.waiting.isEmpty {
                    walk.isAtEnd = true
                    return nil
                }
            }
        }
        let ordinal = walk.waiting.removeFirst()
        walk.left -= 1
        switch walk.place {
        case .member(let org, _):
            walk.place = .member(org: org, after: ordinal)
            return (ordinal, org)
        case .joined:
            walk.place = .joined(after: ordinal)
            return (ordinal, nil)
        }
    }

    /// Devices that were ever in the target, ascending by ordinal.
    private func candidates(
        _ row: StoredRow, _ org: UInt32, after: UInt32?, limit: Int
    ) throws(SQLiteError) -> [UInt32] {
        let first = after.map { Int64($0) + 1 } ?? 0
        switch row.target.kind {
        case .device:
            return row.target.id >= first ? [row.target.shortID] : []
        case .user:
            return try tables.devices.ordinals(everOfUser: row.target.id, from: first, limit: limit)
        case .organisation, nil:
            return try tables.devices.ordinals(everOfOrganisation: org, from: first, limit: limit)
        }
    }

    // MARK: Events

    private func events(
        _ event: Int64, of row: StoredRow, after: PageToken?, limit: Int
    ) throws(SQLiteError) -> Page<Recipient>? {
        var first: Int64 = 0
        if let after {
            guard let last = UInt32(after.text) else { return nil }
            first = Int64(last) + 1
        }
        let found = try tables.events.recipients(event, of: row.seq, from: first, limit: limit)
        let next = found.count < limit ? nil : found.last.map { PageToken(String($0.ordinal)) }
        guard scope != nil else { return Page(items: found.map(\.recipient), next: next) }
        var items: [Recipient] = []
        for (ordinal, recipient) in found {
            let history = try tables.devices.history(of: UInt32(truncatingIfNeeded: ordinal), since: row.seq)
            if let history, isInside(history) { items.append(recipient) }
        }
        return Page(items: items, next: next)
    }
}
