internal import Base

/// Which lines are told of what may happen with each of many calls: of a kind one in some seconds.
struct SeldomLines {
    private struct Kind {
        var next: ContinuousClock.Instant
        var leftOut = 0
    }

    /// Between two of a kind.
    static let pause = Duration.seconds(5)

    private var kinds: [ExactText: Kind] = [:]

    /// - Returns: how many of the kind were left out since the last one that was told; `nil`: this one is left out, too.
    mutating func leftOut(of kind: ExactText, at now: ContinuousClock.Instant) -> Int? {
        if let known = kinds[kind], now < known.next {
            kinds[kind]?.leftOut += 1
            return nil
        }
        let leftOut = kinds[kind]?.leftOut ?? 0
        kinds[kind] = Kind(next: now + Self.pause)
        return leftOut
    }
}
