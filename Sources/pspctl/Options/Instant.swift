import ArgumentParser
import Foundation

/// A point of time as an operator writes it: Unix seconds (10 digits), Unix milliseconds (13 digits), or RFC 3339
/// (`2026-11-24T18:00:00+08:00`).
struct Instant: Equatable, Sendable, ExpressibleByArgument {
    /// Unix milliseconds.
    let milliseconds: Int64

    init(milliseconds: Int64) {
        self.milliseconds = milliseconds
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
