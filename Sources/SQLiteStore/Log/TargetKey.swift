internal import Push

/// Whom a row of the log addresses, as one number: the index's key.
struct TargetKey: Hashable {
    enum Kind: Int64 {
        case device = 1
        case user = 2
        case organisation = 3
    }

    let raw: Int64

    init(raw: Int64) { self.raw = raw }
    init(_ kind: Kind, _ id: Int64) { raw = kind.rawValue << 56 | id }

    static func device(_ ordinal: UInt32) -> TargetKey { TargetKey(.device, Int64(ordinal)) }
    static func user(_ user: Int64) -> TargetKey { TargetKey(.user, user) }
    static func organisation(_ org: UInt32) -> TargetKey { TargetKey(.organisation, Int64(org)) }

    /// `nil` for a number that no version of this store wrote.
    var kind: Kind? { Kind(rawValue: raw >> 56) }
    var id: Int64 { raw & 0x00FF_FFFF_FFFF_FFFF }

    /// As loops know it.
    var rowTarget: RowTarget {
        switch kind {
        case .device: .device(DeviceHandle(ordinal: UInt32(truncatingIfNeeded: id)))
        case .user: .user(UserHandle(raw: UInt64(id)))
        case .organisation, nil: .organisation(OrgHandle(index: UInt32(truncatingIfNeeded: id)))
        }
    }
}

/// The embedded store has one lane.
let theLane = Lane(index: 0)

extension DeviceHandle {
    init(ordinal: UInt32) { self.init(lane: theLane, ordinal: ordinal) }
}
