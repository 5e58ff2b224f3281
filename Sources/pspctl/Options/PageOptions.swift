import ArgumentParser

/// How much of a list.
struct PageOptions: ParsableArguments {
    @Option(
        parsing: .unconditional, help: ArgumentHelp(say("Stop after so many.", "最多列出多少条。"), valueName: "n"),
        transform: WholeNumber.atLeast(1))
    var limit = 100

    @Flag(help: ArgumentHelp(say("The whole list, however long.", "列出全部。")))
    var all = false

    /// How many items are wanted; `nil` for all.
    var wanted: Int? { all ? nil : limit }
}
