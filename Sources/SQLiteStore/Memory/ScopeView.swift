internal import Push

/// An organisation and all that is below it, as readers ask of many rows whether they are inside. Of one read: what was found is
/// remembered.
final class ScopeView: @unchecked Sendable {
    // @unchecked Sendable: made for one read, which one reader's thread does.
    private let organisations: PublishedOrganisations
    private let scope: OrgID
    private var known: [UInt32: Bool] = [:]

    init(_ organisations: PublishedOrganisations, _ scope: OrgID) {
        self.organisations = organisations
        self.scope = scope
    }

    func contains(_ org: UInt32) -> Bool {
        if let known = known[org] { return known }
        let isInside = organisations.isInside(org, scope)
        known[org] = isInside
        return isInside
    }
}

extension PublishedOrganisations {
    /// For who is confined to a scope.
    func view(of scope: OrgID?) -> ScopeView? { scope.map { ScopeView(self, $0) } }
}
