internal import Base
internal import Push
internal import StoreCore

// What the audit log tells of a change: the record before it and after it, field by field.

extension DirectoryDecider {
    /// What a change did that was decided; nothing of changes that say all by their names.
    func details(of change: DirectoryChange) -> [AuditDetail] {
        switch change {
        case .putApp(let key, _, _):
            guard let written = writes.apps.last else { return [] }
            return AuditDetail.differences(from: directory.apps[key]?.app.audited, to: written.app.audited)
        case .putOrganisation(let id, _):
            guard let written = writes.organisations.last else { return [] }
            let former = directory.tree[id].map { node in
                AuditedFields.organisation(name: node.name, parent: node.parent.flatMap { directory.tree[$0]?.id })
            }
            let present = AuditedFields.organisation(
                name: written.name, parent: written.parent.flatMap { directory.tree[$0]?.id })
            return AuditDetail.differences(from: former, to: present)
        case .putDevice(let token, let fields, _): return details(of: token, fields)
        case .rotateSecret, .dropFormerSecret, .removeApp, .removeOrganisation, .removeDevice: return []
        }
    }

    private func details(of token: DeviceToken, _ fields: DeviceChange) -> [AuditDetail] {
        let found = findings.devices[token]
        let formerUser = found?.membership.user.flatMap { findings.names[$0.number] }
        let former = found.map { device in
            AuditedFields.device(
                device.membership, in: id(device.membership.organisation), of: formerUser, device.certificate,
                secret: Hex.encode(device.verifier.digest))
        }
        guard let membership = writes.new.last?.membership ?? writes.changed.last?.membership ?? found?.membership,
            let verifier = writes.new.last?.verifier ?? writes.doors.last?.verifier ?? found?.verifier
        else { return [] }
        let certificate =
            if let new = writes.new.last { new.certificate } else if let door = writes.doors.last { door.certificate } else {
                found?.certificate
            }
        let present = AuditedFields.device(
            membership, in: id(membership.organisation), of: fields.user.value(after: formerUser), certificate,
            secret: Hex.encode(verifier.digest))
        return AuditDetail.differences(from: former, to: present)
    }

    private func id(_ organisation: OrgHandle) -> OrgID? { directory.tree[organisation.index]?.id }
}
