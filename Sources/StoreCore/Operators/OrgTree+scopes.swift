package import Push

// What is inside of a scope: an organisation with all that is below it. What is outside does not exist for whoever is confined.

extension OrgTree {
    /// Whether an organisation is inside a scope. A scope that does not exist (any more) holds nothing.
    package func isInside(_ org: UInt32, _ scope: OrgID) -> Bool { self[scope].map { isBelow(org, $0.org) } ?? false }

    /// Whether there is an organisation inside two scopes; `nil` is all of them.
    package func haveInCommon(_ one: OrgID?, _ other: OrgID?) -> Bool { one == nil || other == nil || common(one, other) != nil }

    /// What is inside two scopes, of which one is inside the other; `nil` where that is everything, or nothing.
    package func common(_ one: OrgID?, _ other: OrgID?) -> UInt32? {
        guard let one else { return other.flatMap { self[$0]?.org } }
        guard let first = self[one]?.org else { return nil }
        guard let other else { return first }
        guard let second = self[other]?.org else { return nil }
        if isBelow(first, second) { return first }
        return isBelow(second, first) ? second : nil
    }

    /// - Parameter field: which field of the call names it.
    /// - Throws: 2203.
    package func requireInside(_ id: OrgID, _ scope: OrgID, _ field: String) throws(Refusal) {
        guard let node = self[id], isInside(node.org, scope) else { throw Refusal(.noSuchOrganisation, field: field) }
    }

    /// Whether an operator may change an organisation, or make it.
    /// - Throws: 2011, 2102, 2203.
    package func permitPut(_ id: OrgID, _ fields: OrganisationChange, in scope: OrgID) throws(Refusal) {
        if self[id] != nil {
            try requireInside(id, scope, "org_id")
            // To the operator its scope has nothing above it.
            if id == scope, fields.parent != .keep { throw Refusal(.notPermitted, field: "parent_id", .ownScope) }
            if fields.parent == .clear { throw Refusal(.missingField, field: "parent_id", .missing(["parent_id"])) }
        } else if fields.parent == .keep || fields.parent == .clear {
            throw Refusal(.missingField, field: "parent_id", .missing(["parent_id"]))
        }
        if case .set(let parent) = fields.parent { try requireInside(parent, scope, "parent_id") }
    }

    /// - Throws: 2011, 2203.
    package func permitRemoving(_ id: OrgID, in scope: OrgID) throws(Refusal) {
        try requireInside(id, scope, "org_id")
        if id == scope { throw Refusal(.notPermitted, field: "org_id", .ownScope) }
    }
}
