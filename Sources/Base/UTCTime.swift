internal import Glibc

/// Time for people and programs to read, in UTC.
public enum UTCTime {
    /// Unix milliseconds as `2026-01-31T08:15:00.123Z`.
    public static func rfc3339(_ milliseconds: Int64) -> String {
        var seconds = time_t(milliseconds / 1_000)
        var parts = tm()
        gmtime_r(&seconds, &parts)
        let date = "\(padded(Int(parts.tm_year) + 1_900, 4))-\(padded(Int(parts.tm_mon) + 1, 2))-\(padded(Int(parts.tm_mday), 2))"
        let time = "\(padded(Int(parts.tm_hour), 2)):\(padded(Int(parts.tm_min), 2)):\(padded(Int(parts.tm_sec), 2))"
        return "\(date)T\(time).\(padded(Int(milliseconds % 1_000), 3))Z"
    }

    /// A day, in milliseconds.
    public static let day: Int64 = 86_400_000

    /// A day, counted from 1970-01-01, as `2026-01-31`.
    public static func date(ofDay day: Int64) -> String { String(rfc3339(day * self.day).prefix(10)) }

    private static func padded(_ number: Int, _ width: Int) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }
}
