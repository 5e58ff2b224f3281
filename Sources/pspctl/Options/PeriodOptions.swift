import ArgumentParser

/// Of which time a list tells.
struct PeriodOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            say("Not those before this time: Unix time or RFC 3339.", "不早于该时间的：Unix 时间或 RFC 3339。"), valueName: "time"),
        transform: Instant.reading)
    var from: Instant?

    @Option(help: ArgumentHelp(say("Only those before this time.", "早于该时间的。"), valueName: "time"), transform: Instant.reading)
    var to: Instant?

    var query: [(name: String, value: String?)] {
        [("from", from.map { String($0.milliseconds) }), ("to", to.map { String($0.milliseconds) })]
    }
}
