internal import ArgumentParser

/// `pspbench publish`: the publisher for a broker.
struct PublishCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "publish", abstract: "Publishes at QoS 1 to an MQTT broker, and waits for each PUBACK.",
        discussion: """
            The exit status is 0 when every message was acknowledged, 1 otherwise.

            EXAMPLE
              pspbench publish --to 127.0.0.1:1883 --topic 'dev/{}' --rate 2000
            """)

    @OptionGroup var options: LoadOptions

    @Option(help: "The topic; {} stands for the number of the device whose turn it is.")
    var topic: String

    @Option(help: "The client identifier; {} stands for the connection's number.")
    var clientId = "publisher-{}"

    @Option(help: "The user name.")
    var user: String?

    @Option(help: "The password.")
    var password: String?

    @Option(help: "Bytes of a payload.")
    var size = 200

    func run() async throws {
        try await options.run(
            MQTTWire(topic: topic, clientIdentifier: clientId, userName: user, password: password, size: size))
    }
}
