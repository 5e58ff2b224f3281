internal import Push
internal import StoreCore

// Who was in a task's target when it was accepted: its intervals tell.

extension Tables {
    func wasAddressed(_ ordinal: UInt32, by row: StoredRow) throws(SQLiteError) -> Bool {
        guard let history = try devices.history(of: ordinal, since: row.seq) else { return false }
        return try wasAddressed(history, by: row)
    }

    /// - Parameter history: with every interval that ended after `row.seq`.
    func wasAddressed(_ history: MembershipHistory, by row: StoredRow) throws(SQLiteError) -> Bool {
        try history.wasAddressed(by: row) { org, ancestor throws(SQLiteError) in
            try organisations.isBelow(org.index, ancestor.index, at: row.seq)
        }
    }
}

/// The same for many devices and one row. What was below what is remembered: devices come organisation by organisation.
final class PastMembers {
    private let tables: Tables
    private let row: StoredRow
    private var isBelow: [Pair: Bool] = [:]

    private struct Pair: Hashable {
        let org: OrgHandle
        let ancestor: OrgHandle
    }

    init(_ tables: Tables, _ row: StoredRow) {
        self.tables = tables
        self.row = row
    }

    func include(_ device: DeviceTable.Candidate) throws(SQLiteError) -> Bool {
        if device.registered > row.seq { return false }
        // One that has changed since: its intervals tell.
        if device.changed > row.seq { return try tables.wasAddressed(device.member.ordinal, by: row) }
        return try row.addressed(device.member.ordinal, device.member.membership) { org, ancestor throws(SQLiteError) in
            let pair = Pair(org: org, ancestor: ancestor)
            if let known = isBelow[pair] { return known }
            let found = try tables.organisations.isBelow(org.index, ancestor.index, at: row.seq)
            isBelow[pair] = found
            return found
        }
    }
}
