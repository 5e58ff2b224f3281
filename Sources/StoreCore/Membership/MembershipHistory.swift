package import Push

/// Where a device belonged, and when: its intervals of the log.
package struct MembershipHistory {
    /// Something held for positions strictly between `from` and `to`.
    package struct Interval<Value> {
        package let value: Value
        package let from: UInt64
        package let to: UInt64

        @inlinable
        package init(_ value: Value, from: UInt64, to: UInt64) {
            self.value = value
            self.from = from
            self.to = to
        }

        /// Whether it held at a position.
        @inlinable
        package func contains(_ seq: UInt64) -> Bool { from < seq && seq < to }
    }

    /// The end of an interval that still holds. The largest number that every store can keep.
    @inlinable
    package static var forever: UInt64 { UInt64(Int64.max) }

    package let ordinal: UInt32
    package let token: String
    package let platform: Platform
    package let created: UInt64
    /// ``forever`` while the device has this holder.
    package let retired: UInt64
    /// Oldest first; the last is the current one.
    package let organisations: [Interval<UInt32>]
    package let users: [Interval<Int64>]
    package let tests: [Interval<Void>]

    /// A history with every interval that the caller may ask about.
    @inlinable
    package init(
        ordinal: UInt32, token: String, platform: Platform, created: UInt64, retired: UInt64, organisations: [Interval<UInt32>],
        users: [Interval<Int64>], tests: [Interval<Void>]
    ) {
        self.ordinal = ordinal
        self.token = token
        self.platform = platform
        self.created = created
        self.retired = retired
        self.organisations = organisations
        self.users = users
        self.tests = tests
    }

    /// The organisation at a position; `nil` where the device was not registered.
    package func organisation(at seq: UInt64) -> UInt32? { organisations.first { $0.contains(seq) }?.value }

    /// Where the device belonged at a position; `nil` where it was not registered.
    package func membership(at seq: UInt64) -> Membership? { membership(at: seq) { $0.contains(seq) } }

    /// The same for what was pushed at `seq` and is still to come: a push for test devices is withdrawn from one that is set
    /// back.
    /// - Parameter end: until where it has to have lasted.
    package func lastingMembership(since seq: UInt64, until end: UInt64 = forever) -> Membership? {
        membership(at: seq) { $0.contains(seq) && $0.to >= end }
    }

    private func membership(at seq: UInt64, isTest: (Interval<Void>) -> Bool) -> Membership? {
        guard let org = organisation(at: seq) else { return nil }
        return Membership(
            organisation: OrgHandle(index: org),
            user: users.first { $0.contains(seq) }.map { UserHandle(raw: UInt64($0.value)) }, platform: platform,
            test: tests.contains(where: isTest))
    }

    /// What a loop has to know, as of just after `position`.
    package func membership(after position: UInt64) -> Membership {
        // The state that holds for the next position to come.
        let next = position + 1
        let org = organisations.first { $0.from < next && next <= $0.to }?.value ?? organisations.last?.value ?? 0
        let user = users.first { $0.from < next && next <= $0.to }?.value
        return Membership(
            organisation: OrgHandle(index: org), user: user.map { UserHandle(raw: UInt64($0)) }, platform: platform,
            test: tests.contains { $0.from < next && next <= $0.to })
    }
}

// What a device still has to get is what addresses it: these targets, each for the positions at which it did.

extension MembershipHistory {
    /// Every target that addressed the device after a position, with the positions for which it did.
    /// - Parameter parents: what an organisation was ever directly below.
    @inlinable
    package func targets<E: Error>(
        after: UInt64, parents: (UInt32) throws(E) -> [Interval<UInt32>]
    ) throws(E) -> [Interval<TargetKey>] {
        var found = [Interval(TargetKey.device(ordinal), from: created, to: retired)]
        for user in users { found.append(Interval(.user(user.value), from: user.from, to: user.to)) }
        for organisation in organisations where organisation.to > after {
            let above = try Self.ancestry(
                of: organisation.value, from: max(after, organisation.from), to: organisation.to, parents: parents)
            for ancestor in above { found.append(Interval(.organisation(ancestor.value), from: ancestor.from, to: ancestor.to)) }
        }
        return found
    }

    /// An organisation and what was above it, each with the positions for which that held, within `from`..`to`.
    ///
    /// Each interval holds for at least one position, at which the tree has no cycle: so this ends.
    @inlinable
    static func ancestry<E: Error>(
        of org: UInt32, from: UInt64, to: UInt64, parents: (UInt32) throws(E) -> [Interval<UInt32>]
    ) throws(E) -> [Interval<UInt32>] {
        var found = [Interval(org, from: from, to: to)]
        var next = 0
        while next < found.count {
            let below = found[next]
            next += 1
            for parent in try parents(below.value) {
                let low = max(below.from, parent.from)
                let high = min(below.to, parent.to)
                if low + 1 < high { found.append(Interval(parent.value, from: low, to: high)) }
            }
        }
        return found
    }
}
