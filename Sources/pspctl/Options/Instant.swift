import ArgumentParser
import Foundation

/// A point of time as an operator writes it: Unix seconds (10 digits), Unix milliseconds (13 digits), or RFC 3339
/// (`2026-11-24T18:00:00+08:00`).
struct Instant: Equatable, Sendable {
    /// Unix milliseconds.
    let milliseconds: Int64

    init(milliseconds: Int64) {
        self.milliseconds = milliseconds
    }

    /// For the `transform` of an option: a mistake is answered with what would have been right.
    static let reading: @Sendable (String) throws -> Instant = { text in
        guard let instant = Instant(argument: text) else {
            throw ValidationError(
                say(
                    "expected Unix seconds (10 digits), Unix milliseconds (13 digits), or RFC 3339 such as "
                        + "2026-11-24T18:00:00+08:00",
                    "应为 Unix 秒（10 位）、Unix 毫秒（13 位），或 RFC 3339，例如 2026-11-24T18:00:00+08:00"))
        }
        return instant
    }

    init?(argument: String) {
        if let number = Int64(argument), number > 0 {
            switch argument.utf8.count {
            case 10: milliseconds = number * 1000
            case 13: milliseconds = number
            default: return nil
            }
            return
        }
        for style in [Date.ISO8601FormatStyle(), Date.ISO8601FormatStyle(includingFractionalSeconds: true)] {
            if let date = try? style.parse(argument) {
                milliseconds = Int64((date.timeIntervalSince1970 * 1000).rounded())
                return
            }
        }
        return nil
    }

    /// The clock of this machine.
    static var now: Instant { Instant(milliseconds: Int64(Date().timeIntervalSince1970 * 1000)) }
}
