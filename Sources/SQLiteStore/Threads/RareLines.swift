internal import Base

/// Lines of the log that may come with every call: each text is written once in ten seconds, with how many were left out.
final class RareLines: Sendable {
    private struct Last {
        var text = ""
        var time = Int64.min
        var omitted = 0
    }

    private let log: @Sendable (String) -> Void
    private let last = Locked(Last())
    private static let pause: Int64 = 10_000_000_000

    init(_ log: @escaping @Sendable (String) -> Void) { self.log = log }

    func tell(_ text: String) {
        let (isNew, omitted) = last.withLock { last in
            let now = MonotonicClock.nanoseconds
            if last.text == text, now < last.time + Self.pause {
                last.omitted += 1
                return (false, Last())
            }
            defer { last = Last(text: text, time: now) }
            return (true, last)
        }
        if omitted.omitted > 0 { log("\(omitted.text): \(omitted.omitted) more times") }
        if isNew { log(text) }
    }
}
