internal import Push
internal import StoreCore

/// In which organisations the target of an operator's call is: whoever is confined to one of them sees the entry. Writer only.
final class AuditedTargets {
    private let directory: DirectoryMemory
    private let tables: Tables
    private let tasks: TaskDecider
    private let faults: Faults

    init(_ directory: DirectoryMemory, _ tables: Tables, _ tasks: TaskDecider, _ faults: Faults) {
        self.directory = directory
        self.tables = tables
        self.tasks = tasks
        self.faults = faults
    }

    /// An organisation's number.
    func number(of id: OrgID) -> UInt32? { directory.tree[id]?.org }

    /// The organisations in which the target is, as ``AuditTable`` keeps them; `nil` where it is in none.
    func organisations(of entry: AuditEntry) throws(SQLiteError) -> String? {
        // A user is in no one organisation: what was pushed to it is seen where the task is.
        let isByTask = entry.target == nil || entry.target?.kind == .user
        let found = try isByTask ? organisations(ofTask: entry.task) : path(from: organisation(of: entry))
        return found.isEmpty ? nil : found.map(AuditTable.mark).joined()
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
            return try tables.devices.find(token)?.membership.organisation.index
        case .app, .user, .address, .import, .operator, .session, .trace, .entries, nil: return nil
        }
    }

    /// By the rule by which whoever is confined sees the task itself.
    private func organisations(ofTask id: String?) throws(SQLiteError) -> [UInt32] {
        guard let id, let row = try tasks.row(of: TaskID(id), for: nil) else { return [] }
        // It is inside of what all of those that it addressed are inside of: so of the first one's, or none.
        var first: UInt32?
        _ = try tables.isInside(row.target, at: row.seq) { organisation in
            first = first ?? organisation
            return false
        }
        // Whatever is above an organisation that it is inside of has it inside too.
        let path = path(from: first)
        var (low, high) = (0, path.count)
        while low < high {
            let middle = (low + high) / 2
            let isInside = try tables.isInside(row.target, at: row.seq) { directory.tree.isBelow($0, path[middle]) }
            if isInside { high = middle } else { low = middle + 1 }
        }
        return Array(path[low...])
    }

    /// An organisation and all above it.
    private func path(from organisation: UInt32?) -> [UInt32] {
        var path: [UInt32] = []
        var next = organisation.flatMap { directory.tree[$0] }
        while let node = next {
            path.append(node.org)
            next = node.parent.flatMap { directory.tree[$0] }
        }
        return path
    }
}
