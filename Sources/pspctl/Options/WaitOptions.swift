import ArgumentParser

/// Whether a push is watched until all its devices have an end.
struct WaitOptions: ParsableArguments {
    @Flag(help: ArgumentHelp(say("Wait until every device has it, or never will.", "等待每台设备都收到或不再会收到。")))
    var wait = false

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(say("With --wait: so long at most.", "--wait 最多等待的时间。"), valueName: "seconds"),
        transform: WholeNumber.atLeast(1)
    )
    var timeout = 60
}
