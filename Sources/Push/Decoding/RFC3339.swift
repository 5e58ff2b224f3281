/// The date-time of RFC 3339 §5.6: `2026-11-24T18:30:00+08:00`, `2026-11-24T10:30:00.5Z`.
enum RFC3339 {
    /// Unix milliseconds; digits of the second beyond the third are cut. `nil` where the text is no such date-time.
    ///
    /// A leap second (`:60`) is the second after it, for Unix time has no place for it.
    static func parse(_ text: String) -> Int64? {
        var reader = Reader(rest: text.utf8[...])
        guard let year = reader.number(4), reader.skip("-"), let month = reader.number(2), (1...12).contains(month),
            reader.skip("-"),
            let day = reader.number(2), (1...daysIn(month, of: year)).contains(day), reader.skip("T") || reader.skip("t"),
            let hour = reader.number(2), hour < 24, reader.skip(":"), let minute = reader.number(2), minute < 60,
            reader.skip(":"),
            let second = reader.number(2), second <= 60, let milliseconds = reader.fraction(), let offset = reader.offset(),
            reader.rest.isEmpty
        else { return nil }
        let seconds = ((daysSinceEpoch(year, month, day) * 24 + hour) * 60 + minute - offset) * 60 + second
        return Int64(seconds * 1000 + milliseconds)
    }

    private struct Reader {
        var rest: Substring.UTF8View

        mutating func skip(_ character: Unicode.Scalar) -> Bool {
            guard rest.first == UInt8(ascii: character) else { return false }
            rest.removeFirst()
            return true
        }

        mutating func number(_ digits: Int) -> Int? {
            var number = 0
            for _ in 0..<digits {
                guard let digit = digit() else { return nil }
                number = 10 * number + digit
            }
            return number
        }

        /// Milliseconds of a fraction, which may be absent.
        mutating func fraction() -> Int? {
            guard skip(".") else { return 0 }
            guard var milliseconds = digit() else { return nil }
            var unit = 100
            milliseconds *= unit
            while let digit = digit() {
                unit /= 10
                milliseconds += digit * unit
            }
            return milliseconds
        }

        /// Minutes east of UTC.
        mutating func offset() -> Int? {
            if skip("Z") || skip("z") { return 0 }
            let isEast = skip("+")
            guard isEast || skip("-"), let hours = number(2), hours < 24, skip(":"), let minutes = number(2), minutes < 60 else {
                return nil
            }
            return isEast ? hours * 60 + minutes : -(hours * 60 + minutes)
        }

        private mutating func digit() -> Int? {
            guard let byte = rest.first, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) else { return nil }
            rest.removeFirst()
            return Int(byte - UInt8(ascii: "0"))
        }
    }

    private static func isLeap(_ year: Int) -> Bool {
        year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
    }

    private static func daysIn(_ month: Int, of year: Int) -> Int {
        switch month {
        case 2: isLeap(year) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }

    /// Days from 1970-01-01 in the Gregorian calendar. The year begins in March, so that the leap day ends it.
    private static func daysSinceEpoch(_ year: Int, _ month: Int, _ day: Int) -> Int {
        let marchYear = month > 2 ? year : year - 1
        let monthsSinceMarch = (month + 9) % 12
        let leapDays = floor(marchYear, 4) - floor(marchYear, 100) + floor(marchYear, 400)
        // 719,468 days lie between 0000-03-01 and 1970-01-01.
        return 365 * marchYear + leapDays + (153 * monthsSinceMarch + 2) / 5 + day - 1 - 719_468
    }

    /// The quotient rounded down: January of the year 0 belongs to the year -1 of March.
    private static func floor(_ dividend: Int, _ divisor: Int) -> Int {
        dividend >= 0 ? dividend / divisor : -((divisor - 1 - dividend) / divisor)
    }
}
