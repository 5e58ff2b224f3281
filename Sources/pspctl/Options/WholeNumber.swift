import ArgumentParser

/// A whole number of an option, within a range that a mistake is answered with.
enum WholeNumber {
    /// What reads it, for the `transform` of an option.
    static func within(_ range: ClosedRange<Int>) -> @Sendable (String) throws -> Int {
        { text in
            guard let number = Int(text), range.contains(number) else {
                throw ValidationError(
                    say(
                        "expected a whole number from \(range.lowerBound) to \(range.upperBound)",
                        "应为 \(range.lowerBound) 到 \(range.upperBound) 的整数"))
            }
            return number
        }
    }

    /// Where nothing but the size of a number bounds it.
    static func atLeast(_ least: Int) -> @Sendable (String) throws -> Int {
        { text in
            guard let number = Int(text), number >= least else {
                throw ValidationError(
                    say("expected a whole number of at least \(least)", "应为不小于 \(least) 的整数"))
            }
            return number
        }
    }
}
