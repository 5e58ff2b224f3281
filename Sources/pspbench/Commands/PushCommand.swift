internal import ArgumentParser

/// `pspbench push`: unicasts by REST.
struct PushCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "push", abstract: "Pushes to devices of the push server by REST, at a rate.",
        discussion: """
            The exit status is 0 when every push was answered with SUCCESS, 1 otherwise.

            EXAMPLES
              pspbench push --to 127.0.0.1:8080 --secret SECRET --targets 10000
              pspbench push --to 127.0.0.1:8080 --secret SECRET --token 'phone-{}' \\
                --targets 10000 --rate 2000 --watch $(pidof pspd)
            """)

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
