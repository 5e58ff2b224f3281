/// Lines of the log about steps of the wall clock: a clock that jumps without end does not fill it.
struct StepLines {
    /// Milliseconds between two of them.
    private static let pause: Int64 = 10_000

    private var last: Int64?
    private var leftOut = 0

    /// - Returns: `nil` where one was told a moment ago; the next one says how many were left out.
    mutating func line(by step: Int64, ahead offset: Int64, at now: Int64) -> String? {
        if let last, now - last < Self.pause {
            leftOut += 1
            return nil
        }
        last = now
        defer { leftOut = 0 }
        let direction = step > 0 ? "ahead" : "back"
        let rest = leftOut == 0 ? "" : " (\(leftOut) more steps were not told)"
        return "the wall clock has jumped \(direction) by \(Self.seconds(step)) s, and differs from store time by "
            + "\(offset < 0 ? "-" : "+")\(Self.seconds(offset)) s now\(rest)"
    }

    /// Without the sign.
    static func seconds(_ milliseconds: Int64) -> String {
        let tenths = (milliseconds.magnitude + 50) / 100
        return "\(tenths / 10).\(tenths % 10)"
    }
}
