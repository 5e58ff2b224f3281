internal import Push
internal import StoreCore

/// In which organisations the target of an operator's call is: whoever is confined to one of them sees the entry. Writer only.
final class AuditedTargets {
    private let directory: DirectoryMemory
    private let devices: DeviceTable
    private let tasks: TaskDecider
    private let faults: Faults

    init(_ directory: DirectoryMemory, _ devices: DeviceTable, _ tasks: TaskDecider, _ faults: Faults) {
        self.directory = directory
        self.devices = devices
        self.tasks = tasks
        self.faults = faults
    }

    /// An organisation's number.
    func number(of id: OrgID) -> UInt32? { directory.tree[id]?.org }

    /// The organisation of the target, and all above it, as ``AuditTable`` keeps them; `nil` where the target is in none.
    func organisations(of entry: AuditEntry) throws(SQLiteError) -> String? {
        guard var node = try organisation(of: entry).flatMap({ directory.tree[$0] }) else { return nil }
        var path = AuditTable.mark(node.org)
        while let parent = node.parent.flatMap({ directory.tree[$0] }) {
            path += AuditTable.mark(parent.org)
            node = parent
        }
        return path
    }

    /// The same, but of what cannot be read in the file nobody who is confined sees the entry: a question must not fail for it.
    func organisationsIfReadable(of entry: AuditEntry) -> String? {
        do throws(SQLiteError) {
            return try organisations(of: entry)
        } catch {
            faults.tell("an audit entry is seen by nobody who is confined", error)
            return nil
        }
    }

    private func organisation(of entry: AuditEntry) throws(SQLiteError) -> UInt32? {
        switch entry.target?.kind {
        case .organisation: return entry.target.flatMap { OrgID($0.id) }.flatMap { directory.tree[$0]?.org }
        case .device:
            guard let token = entry.target.flatMap({ DeviceToken($0.id) }) else { return nil }
            return try devices.find(token)?.membership.organisation.index
        case .app, .user, .address, .import, .operator, .session, .trace, .entries: return nil
        case nil: break
        }
        guard let task = entry.task, let row = try tasks.row(of: TaskID(task), for: nil) else { return nil }
        switch row.target.kind {
        case .device: return try devices.member(row.target.shortID)?.membership.organisation.index
        case .organisation: return row.target.shortID
        case .user, nil: return nil
        }
    }
}
