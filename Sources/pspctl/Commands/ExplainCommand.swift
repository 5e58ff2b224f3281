import ArgumentParser
import JSON

/// `pspctl explain TASK DEVICE`
struct ExplainCommand: AsyncParsableCommand {
    static var configuration: CommandConfiguration {
        CommandConfiguration(
            commandName: "explain",
            abstract: say("Say why a device has a task, or has it not.", "说明某台设备为什么收到或没有收到某个任务。"),
            discussion: HelpText.examples("pspctl explain TASK_ID phone-1", "pspctl explain TASK_ID phone-1 --json"))
    }

    @Argument(help: ArgumentHelp(say("The task.", "任务。"), valueName: "id"))
    var task: String

    @Argument(help: ArgumentHelp(say("The device.", "设备。"), valueName: "token"))
    var device: String

    @OptionGroup(title: say("Server", "服务器"))
    var server: ServerOptions

    var call: Call {
        Call(.get, TaskCommand.path(task) + ["explain"], query: [("device", device)], flags: ["device": "<token>"])
    }

    func run() async throws {
        let data = try await server.adminClient().send(call).data
        if server.json { return Output.json(data.minified()) }
        print(ExplainCommand.sentence(data))
        print("")
        for line in Details.lines(of: data, hiding: ["wait", "membership"], precisely: true) { print(line) }
        for (part, heading) in [
            ("membership", say("membership", "被接受时的归属（membership）")), ("wait", say("wait", "等待（wait）")),
        ] {
            guard let value = data[part] else { continue }
            print("\n" + heading + say(":", "："))
            for line in Details.lines(of: value, precisely: true) { print("  " + line) }
        }
    }

    /// The reason in words.
    static func sentence(_ data: JSONValue) -> String {
        let wait = data["wait"]
        let ahead = wait?["ahead"]?.int64 ?? 0
        let behind = Column.show(wait?["behind"], named: "behind")
        let sent = Column.show(data["sent_to_device_at"], named: "sent_to_device_at", precisely: true)
        let state = Column.show(data["state"], named: "state")
        return switch data["reason"]?.string {
        case "not_registered":
            say(
                "The device was not registered when the task was accepted, or was another holder's.",
                "任务被接受时该设备尚未登记，或属于另一位使用人。")
        case "not_in_target":
            say("The device was not in the task's target when the task was accepted.", "任务被接受时该设备不在任务的目标之内。")
        case "ended":
            say("It is over for this device: \(state).", "对该设备而言已有结果：\(state)。")
        case "offline":
            say("The device is offline; it gets the task when it connects.", "设备离线；连接后即可收到。")
        case "catching_up":
            say("The device is connected and reads what it has missed: \(ahead) come first.", "设备已连接，正在读取错过的内容：前面还有 \(ahead) 个。")
        case "sent":
            say("It was sent at \(sent), and the device has not acknowledged it.", "已于 \(sent) 发送，设备尚未确认。")
        case "waiting":
            say(
                "\(ahead) others come before it: the device has to acknowledge those that it has got until it gets more. The "
                    + "first of them is \(behind).",
                "前面还有 \(ahead) 个任务：设备要先确认已收到的，才会收到后面的。其中第一个是 \(behind)。")
        default:
            say("It is pending; the loop of the device's connection did not answer in time.", "待送达；设备连接所在的循环没有及时回答。")
        }
    }
}
