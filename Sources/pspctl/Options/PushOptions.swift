import ArgumentParser

/// What every push may say of itself.
struct PushOptions: ParsableArguments {
    @Flag(help: "Only to the target's test devices.")
    var test = false

    @Option(help: ArgumentHelp("What it is for.", valueName: "text"))
    var description: String?

    @Option(help: ArgumentHelp("Under what it is counted: see `pspctl stats`.", valueName: "text"))
    var tag: String?

    @Option(help: ArgumentHelp("Not delivered after this time: Unix time or RFC 3339.", valueName: "time"))
    var expires: Instant?

    @Option(help: ArgumentHelp("Your own id: sending the same again makes no second task.", valueName: "id"))
    var outBizNo: String?
}
