internal import Push
internal import StoreCore

/// A device as it was found when it came: its first page goes by it, unless it belongs elsewhere since.
struct Arrival {
    let device: FoundDevice
    let token: DeviceToken
    /// How far this node had followed the log before the device was looked up: no change up to there is missing.
    let asOf: UInt64

    /// Where the device belonged after a position.
    /// - Parameter lastChange: where the log told last that a device belongs elsewhere.
    /// - Returns: `nil` where the device was elsewhere then, or may be by now: this only the database knows.
    func history(after position: UInt64, lastChange: UInt64) -> MembershipHistory? {
        guard max(device.organisationSince, device.testSince) <= position, lastChange <= asOf else { return nil }
        let (membership, forever) = (device.membership, MembershipHistory.forever)
        return MembershipHistory(
            ordinal: device.ordinal, token: token.text, platform: membership.platform, created: device.created, retired: forever,
            organisations: [.init(membership.organisation.index, from: device.organisationSince, to: forever)],
            users: membership.user.map { [.init(Int64(bitPattern: $0.raw), from: device.userSince, to: forever)] } ?? [],
            tests: membership.test ? [.init((), from: device.testSince, to: forever)] : [])
    }
}
