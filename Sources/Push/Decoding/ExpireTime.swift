internal import JSON

/// `policy.expire_time` as callers write it: Unix seconds or milliseconds, as a number or as digits, or RFC 3339 with an offset.
///
/// Only the form is judged here; the store holds it against its clock when it accepts the push (``Expiry/resolve(_:of:now:)``).
enum ExpireTime {
    /// Below this a number is seconds (until the year 5138), from here on milliseconds (since 1973).
    private static let leastMilliseconds: Int64 = 100_000_000_000
    /// The largest integer that every JSON implementation reads exactly (RFC 8259 §6): the year 287396.
    private static let latest: Int64 = 1 << 53

    /// Unix milliseconds. A number with a fraction or an exponent is not a Unix time.
    static func parse(_ value: JSONValue) -> Int64? {
        if let number = value.int64 { return unixTime(number) }
        guard let text = value.string else { return nil }
        let isDigits = !text.isEmpty && text.utf8.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
        return isDigits ? Int64(text).flatMap(unixTime) : RFC3339.parse(text)
    }

    private static func unixTime(_ number: Int64) -> Int64? {
        guard (0...latest).contains(number) else { return nil }
        return number < leastMilliseconds ? number * 1000 : number
    }
}
