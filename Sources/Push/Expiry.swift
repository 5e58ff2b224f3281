/// When a push stops being delivered.
public enum Expiry {
    /// Three days, for a message that names none.
    public static let defaultLifetime: Int64 = 72 * 3_600_000
    /// Seven days, the most that a message may ask for.
    public static let longestLifetime: Int64 = 7 * 24 * 3_600_000

    /// The expiry of a push that is accepted now, in store time; `nil` never expires.
    ///
    /// A message lives 72 hours unless it says otherwise and 7 days at most; a configuration has neither default nor bound. A
    /// caller's wish is a time of day: it is judged by the wall clock, and converted here, once.
    /// - Parameters:
    ///   - wish: Unix milliseconds.
    ///   - now: store time.
    ///   - offset: how far the wall clock is ahead of it.
    /// - Throws: 2103 on `policy.expire_time` that is not in the future, or too far in it.
    public static func resolve(
        _ wish: Int64?, of interface: Interface, now: Int64, offset: Int64
    ) throws(Refusal) -> Int64? {
        guard let wish else { return interface == .message ? now + defaultLifetime : nil }
        let wallClock = now + offset
        guard wish > wallClock, interface == .configuration || wish - wallClock <= longestLifetime else {
            let latest = interface == .message ? wallClock + longestLifetime : nil
            throw Refusal(
                .invalidValue, field: "policy.expire_time", .expected(.timeBetween(after: wallClock, through: latest)))
        }
        return wish - offset
    }
}
