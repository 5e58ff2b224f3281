internal import Push
internal import StoreCore

/// Changes of the directory. Each is one whole call: everything that may refuse it comes before the first write.
final class DirectoryDecider {
    private let directory: DirectoryMemory
    private let apps: AppDecider
    private let organisations: OrganisationDecider
    private let devices: DeviceDecider

    init(_ directory: DirectoryMemory, apps: AppDecider, organisations: OrganisationDecider, devices: DeviceDecider) {
        self.directory = directory
        self.apps = apps
        self.organisations = organisations
        self.devices = devices
    }

    func apply(_ change: DirectoryChange, at now: Int64) throws(SQLiteError) -> Result<ChangeResult, Refusal> {
        let result = try decided { () throws -> ChangeResult in
            switch change {
            case .putApp(let key, let fields, let secret): try apps.put(key, fields, secret)
            case .putOrganisation(let id, let fields): try organisations.put(id, fields, at: now)
            case .putDevice(let token, let fields, let secret): try devices.put(token, fields, secret, at: now)
            case .removeApp(let key): try apps.remove(key)
            case .removeOrganisation(let id): try organisations.remove(id, at: now)
            case .removeDevice(let token): try devices.remove(token, at: now)
            }
        }
        if case .success = result { directory.isChanged = true }
        return result
    }
}
