internal import Base
internal import Crypto
internal import Push
internal import StoreCore

/// What the record holds that a change is about: looked at before the change and after it, so that the audit log tells what it
/// did. Writer only.
final class AuditedRecords {
    private let directory: DirectoryMemory
    private let operators: OperatorMemory
    private let tables: Tables

    init(_ directory: DirectoryMemory, _ operators: OperatorMemory, _ tables: Tables) {
        self.directory = directory
        self.operators = operators
        self.tables = tables
    }

    /// `nil` where there is no such record, and of changes that say all by their names.
    func fields(of change: DirectoryChange) throws(SQLiteError) -> AuditedFields? {
        switch change {
        case .putApp(let key, _, _): return directory.apps[key]?.app.audited
        case .putOrganisation(let id, _):
            return directory.tree[id].map { node in
                .organisation(name: node.name, parent: node.parent.flatMap { directory.tree[$0]?.id })
            }
        case .putDevice(let token, _, _):
            guard let device = try tables.devices.find(token) else { return nil }
            let user = try device.membership.user.map { user throws(SQLiteError) in try tables.users.id(of: user.number) } ?? nil
            return .device(
                device.membership, in: directory.tree[device.membership.organisation.index]?.id, of: user, device.certificate,
                secret: Hex.encode(device.verifier.digest))
        case .rotateSecret, .dropFormerSecret, .removeApp, .removeOrganisation, .removeDevice: return nil
        }
    }

    /// The same of operators.
    func fields(of change: OperatorChange) -> AuditedFields? {
        guard case .put(let name, _) = change else { return nil }
        return operators.book[name]?.audited
    }
}
