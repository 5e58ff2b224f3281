import ArgumentParser

/// `pspctl device disconnect`
struct DeviceDisconnect: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "disconnect", abstract: "Close a device's connection.",
        discussion: """
            The device may connect again, and then receives what it has not acknowledged. One that is not connected is left alone.

            EXAMPLE
              pspctl device disconnect phone-1
            """)

    @Argument(help: ArgumentHelp("The device.", valueName: "token"))
    var token: String

    @OptionGroup(title: "Server")
    var server: ServerOptions

    var call: Call { Call(.post, DeviceResource.path(token) + ["disconnect"]) }

    func run() async throws {
        let data = try await server.adminClient().send(call).data
        if server.json { return Output.json(data.minified()) }
        print("device \(token) is disconnected")
    }
}
