import ArgumentParser

/// What every push may say of itself.
struct PushOptions: ParsableArguments {
    @Flag(
        help: ArgumentHelp(
            say(
                "Push nothing, and say whom it would reach or why it would be refused; for operators.",
                "不推送，只说明会到达哪些设备或为何会被拒绝；供运维人员使用。")))
    var dryRun = false

    @Flag(help: ArgumentHelp(say("Only to the target's test devices.", "只推给目标中的测试设备。")))
    var test = false

    @Option(help: ArgumentHelp(say("What it is for.", "用途说明。"), valueName: "text"))
    var description: String?

    @Option(
        help: ArgumentHelp(say("Under what it is counted: see `pspctl stats`.", "统计用的标签，见 `pspctl stats`。"), valueName: "text"))
    var tag: String?

    @Option(
        help: ArgumentHelp(
            say(
                "Not delivered after this time: Unix time or RFC 3339; of a message at most 7 days ahead.",
                "过期时间：Unix 时间或 RFC 3339；消息最多 7 天之后。"),
            valueName: "time"),
        transform: Instant.reading)
    var expires: Instant?

    @Option(
        help: ArgumentHelp(
            say("Your own id: sending the same again makes no second task.", "自己的编号：重发不会产生第二个任务。"), valueName: "id"))
    var outBizNo: String?
}
