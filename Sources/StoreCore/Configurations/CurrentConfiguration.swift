package import Push

/// One of the current configurations, as far as it decides who joins it. Its target stands by name: a device's configuration is
/// for whoever holds its token.
package struct CurrentConfiguration: Sendable {
    package let seq: UInt64
    package let kind: TargetKey.Kind
    /// Of the target.
    package let name: String
    package let testOnly: Bool
    /// The organisation outside which nobody receives it.
    package let within: UInt32?

    package init(seq: UInt64, kind: TargetKey.Kind, name: String, testOnly: Bool, within: UInt32?) {
        self.seq = seq
        self.kind = kind
        self.name = name
        self.testOnly = testOnly
        self.within = within
    }
}

/// What a device was before a change, as far as it decides which configurations it joins by it.
package struct FormerMembership: Hashable, Sendable {
    package let organisation: UInt32
    package let test: Bool
    /// Whether it was the same user's.
    package let hadUser: Bool

    package init(organisation: UInt32, test: Bool, hadUser: Bool) {
        self.organisation = organisation
        self.test = test
        self.hadUser = hadUser
    }

    /// As a device was that is another's user's, or elsewhere, or in another mode now.
    package init(_ before: Membership, now after: Membership) {
        self.init(
            organisation: before.organisation.index, test: before.test, hadUser: after.user != nil && before.user == after.user)
    }
}

// As stores keep it: one number, 0 for what was not there before.

extension FormerMembership {
    private static let test: UInt64 = 1 << 32
    private static let hadUser: UInt64 = 1 << 33

    /// Its number.
    package var number: UInt64 { UInt64(organisation) | (test ? Self.test : 0) | (hadUser ? Self.hadUser : 0) }

    /// `nil` for 0: there is no organisation of that number.
    package init?(number: UInt64) {
        guard number != 0 else { return nil }
        self.init(
            organisation: UInt32(truncatingIfNeeded: number), test: number & Self.test != 0, hadUser: number & Self.hadUser != 0)
    }
}

extension CurrentConfiguration {
    /// Whether a device whose target it is joins it by a change: whether it is for the device, and was not before.
    package func isJoined(by membership: Membership, formerly former: FormerMembership?, _ tree: OrgTree) -> Bool {
        if testOnly && !membership.test { return false }
        if testOnly, let former, !former.test { return true }
        let was = { (org: UInt32) in former.map { tree.isBelow($0.organisation, org) } ?? false }
        if let within {
            if !tree.isBelow(membership.organisation.index, within) { return false }
            if !was(within) { return true }
        }
        switch kind {
        case .device: return former == nil
        case .user: return !(former?.hadUser ?? false)
        case .organisation: return tree[OrgID(unchecked: name)].map { !was($0.org) } ?? false
        }
    }
}
