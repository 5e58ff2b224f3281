import ArgumentParser

/// Whether a push is watched until all its devices have an end.
struct WaitOptions: ParsableArguments {
    @Flag(help: ArgumentHelp(say("Wait until every device has it, or never will.", "等待每台设备都收到或不再会收到。")))
    var wait = false

    @Option(
        parsing: .unconditional, help: ArgumentHelp(say("With --wait: so long at most.", "--wait 最多等待的时间。"), valueName: "seconds")
    )
    var timeout = 60

    func validate() throws {
        guard timeout >= 1 else {
            throw ValidationError(
                say("--timeout must be an integer of at least 1; got \(timeout).", "--timeout 应为不小于 1 的整数，收到 \(timeout)。"))
        }
    }
}
