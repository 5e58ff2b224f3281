package import Push

/// Whom a row of the log addresses, as one number: the key of the index by target.
package struct TargetKey: Hashable, Sendable {
    /// What the number names.
    package enum Kind: Int64, Sendable {
        case device = 1
        case user = 2
        case organisation = 3
    }

    /// The kind in the highest byte, the number of the device, user or organisation below it.
    package let raw: Int64

    /// A key as it is stored.
    @inlinable package init(raw: Int64) { self.raw = raw }

    @inlinable init(_ kind: Kind, _ id: Int64) { raw = kind.rawValue << 56 | id }

    /// One holder's device.
    @inlinable package static func device(_ ordinal: UInt32) -> TargetKey { TargetKey(.device, Int64(ordinal)) }
    /// Every device of a user.
    @inlinable package static func user(_ user: Int64) -> TargetKey { TargetKey(.user, user) }
    /// Every device of an organisation and of those below it.
    @inlinable package static func organisation(_ org: UInt32) -> TargetKey { TargetKey(.organisation, Int64(org)) }

    /// `nil` for a number that no version of a store wrote.
    @inlinable package var kind: Kind? { Kind(rawValue: raw >> 56) }
    /// The number of the device, user or organisation.
    @inlinable package var id: Int64 { raw & 0x00FF_FFFF_FFFF_FFFF }
    /// The same of a device or an organisation, whose numbers are small.
    @inlinable package var shortID: UInt32 { UInt32(truncatingIfNeeded: raw) }

    /// As loops know it.
    package func rowTarget(in lane: Lane) -> RowTarget {
        switch kind {
        case .device: .device(DeviceHandle(lane: lane, ordinal: shortID))
        case .user: .user(UserHandle(raw: UInt64(id)))
        case .organisation, nil: .organisation(OrgHandle(index: shortID))
        }
    }
}
