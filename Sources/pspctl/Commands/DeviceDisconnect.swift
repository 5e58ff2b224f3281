import ArgumentParser

/// `pspctl device disconnect`
struct DeviceDisconnect: AsyncParsableCommand {
    static var configuration: CommandConfiguration {
        CommandConfiguration(
            commandName: "disconnect", abstract: say("Close a device's connection.", "断开设备的连接。"),
            discussion: say(
                """
                The device may connect again, and then receives what it has not acknowledged. One that is not \
                connected is left alone.
                """,
                """
                设备可以重新连接，并收到尚未确认的推送。没有连接的设备不受影响。
                """) + "\n\n"
                + HelpText.examples(
                    "pspctl device disconnect phone-1"))
    }

    @Argument(help: ArgumentHelp(say("The device.", "设备。"), valueName: "token"))
    var token: String

    @OptionGroup(title: say("Server", "服务器"))
    var server: ServerOptions

    var call: Call { Call(.post, DeviceResource.path(token) + ["disconnect"]) }

    func run() async throws {
        let data = try await server.adminClient().send(call).data
        if server.json { return Output.json(data.minified()) }
        print(say("device \(token) is disconnected", "设备 \(token) 已断开"))
    }
}
