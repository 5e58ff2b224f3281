extension DirectoryChange {
    /// As the audit log names it.
    public var action: AuditAction {
        switch self {
        case .putApp: .appPut
        case .putOrganisation: .organisationPut
        case .putDevice: .devicePut
        case .rotateSecret: .appRotateSecret
        case .dropFormerSecret: .appDropFormerSecret
        case .removeApp: .appRemove
        case .removeOrganisation: .organisationRemove
        case .removeDevice: .deviceRemove
        }
    }

    /// What it changes.
    public var target: AuditTarget {
        switch self {
        case .putApp(let key, _, _), .rotateSecret(let key, _, _), .dropFormerSecret(let key), .removeApp(let key):
            AuditTarget(.app, key.text)
        case .putOrganisation(let id, _), .removeOrganisation(let id): AuditTarget(.organisation, id.text)
        case .putDevice(let token, _, _), .removeDevice(let token): AuditTarget(.device, token.text)
        }
    }
}
