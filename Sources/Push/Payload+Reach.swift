extension Payload {
    /// Which of a target's devices a payload of this size goes to.
    public enum Reach: Hashable, Sendable {
        /// Every one.
        case everyDevice
        /// All but the iOS devices: so many are `skipped_oversize`.
        case withoutIOS(skipped: Int)
    }

    /// Holds the payload against the limits of the devices that a push would reach: one for a unicast, those of the user, those
    /// of the organisation's subtree, in test mode only test devices.
    ///
    /// Over 1,024 bytes no device takes it. Over 256, iOS devices are left out; a target that has no other device is refused. A
    /// target without any device (an empty organisation) is no reason to refuse.
    /// - Throws: 2105.
    public func reach(android: Int, ios: Int) throws(Refusal) -> Reach {
        guard fits(.android) else { throw tooLarge(for: .android) }
        guard !fits(.ios) else { return .everyDevice }
        guard android > 0 || ios == 0 else { throw tooLarge(for: .ios) }
        return .withoutIOS(skipped: ios)
    }

    private func tooLarge(for platform: Platform) -> Refusal {
        Refusal(.payloadTooLarge, field: "payload", .size(measuredSize, limit: platform.payloadLimit, platform))
    }
}
