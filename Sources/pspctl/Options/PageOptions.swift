import ArgumentParser

/// How much of a list.
struct PageOptions: ParsableArguments {
    @Option(parsing: .unconditional, help: ArgumentHelp(say("Stop after so many.", "最多列出多少条。"), valueName: "n"))
    var limit = 100

    @Flag(help: ArgumentHelp(say("The whole list, however long.", "列出全部。")))
    var all = false

    func validate() throws {
        try PageOptions.check(limit: limit)
    }

    /// - Throws: `ValidationError` that names the flag and its range.
    static func check(limit: Int) throws {
        guard limit >= 1 else {
            throw ValidationError(
                say("--limit must be an integer of at least 1; got \(limit).", "--limit 应为不小于 1 的整数，收到 \(limit)。"))
        }
    }

    /// How many items are wanted; `nil` for all.
    var wanted: Int? { all ? nil : limit }
}
