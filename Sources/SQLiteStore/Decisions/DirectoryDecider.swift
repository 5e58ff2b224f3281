internal import Push
internal import StoreCore

/// Changes of the directory. Each is one whole call: everything that may refuse it comes before the first write. What follows
/// from it is done at once as far as the transaction's budget goes, the rest in slices.
final class DirectoryDecider {
    private let directory: DirectoryMemory
    private let scopes: ScopeDecider
    let apps: AppDecider
    private let organisations: OrganisationDecider
    private let devices: DeviceDecider
    private let followUps: FollowUpDecider
    private let budget: StepBudget

    init(
        _ directory: DirectoryMemory, _ scopes: ScopeDecider, apps: AppDecider, organisations: OrganisationDecider,
        devices: DeviceDecider,
        _ followUps: FollowUpDecider, _ budget: StepBudget
    ) {
        self.directory = directory
        self.scopes = scopes
        self.followUps = followUps
        self.budget = budget
        self.apps = apps
        self.organisations = organisations
        self.devices = devices
    }

    /// Whether the next change has to wait: for what follows from the last, or because the transaction has done enough.
    var isBusy: Bool { isFollowedUp || budget.isSpent }

    /// Whether something follows from the last change that is still to be done.
    var isFollowedUp: Bool { followUps.isBusy }

    /// - Parameters:
    ///   - operator: on whose behalf; `nil` for the installation.
    ///   - followingUp: whether what follows from it is begun at once.
    func apply(
        _ change: DirectoryChange, by operator: OperatorNumber?, followingUp: Bool = true, at now: Int64
    ) throws(SQLiteError) -> Result<ChangeResult, Refusal> {
        let result = try decided { () throws -> ChangeResult in
            try scopes.permit(change, to: `operator`)
            return switch change {
            case .putApp(let key, let fields, let secret): try apps.put(key, fields, secret)
            case .putOrganisation(let id, let fields): try organisations.put(id, fields)
            case .putDevice(let token, let fields, let secret): try devices.put(token, fields, secret)
            case .rotateSecret(let key, let secret, let again): try apps.rotateSecret(key, to: secret, again: again)
            case .dropFormerSecret(let key): try apps.dropFormerSecret(key)
            case .removeApp(let key): try apps.remove(key)
            case .removeOrganisation(let id): try organisations.remove(id, namingHolders: scopes.seesAll(`operator`))
            case .removeDevice(let token): try devices.remove(token)
            }
        }
        budget.take(StepBudget.write)
        if case .success = result { directory.isChanged = true }
        if followingUp && followUps.isInline { try followUps.advance(at: now) }
        return result
    }
}
