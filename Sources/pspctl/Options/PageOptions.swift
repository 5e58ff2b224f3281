import ArgumentParser

/// How much of a list.
struct PageOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Stop after so many.", valueName: "n"))
    var limit = 100

    @Flag(help: "The whole list, however long.")
    var all = false

    func validate() throws {
        guard limit >= 1 else { throw ValidationError("--limit is at least 1.") }
    }

    /// How many items are wanted; `nil` for all.
    var wanted: Int? { all ? nil : limit }
}
