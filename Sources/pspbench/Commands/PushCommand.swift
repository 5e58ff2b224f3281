internal import ArgumentParser

/// `pspbench push`: unicasts by REST.
struct PushCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "push", abstract: "Pushes to devices of the push server by REST, at a rate.")

    @OptionGroup var options: LoadOptions

    @Option(help: "The calling app.")
    var app = "bench"

    @Option(help: "Its master secret.")
    var secret: String

    @Option(help: "The devices' tokens; {} stands for the number of the one whose turn it is.")
    var token = "dev-{}"

    @Option(help: "A tag.")
    var tag: String?

    @Option(help: "Bytes of the payload's custom field.")
    var size = 140

    func run() async throws {
        var wire = HTTPWire(appkey: app, secret: secret, host: options.to)
        wire.token = token
        wire.tag = tag
        wire.size = size
        try await options.run(wire)
    }
}
