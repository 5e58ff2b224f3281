internal import ArgumentParser
internal import Base

/// Load for MQTT brokers and for the push server: devices, publishers, callers, and what they count.
@main
struct Program: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pspbench",
        abstract: "Puts load on a push server or on any MQTT broker, and counts what arrives.",
        discussion: """
            Times are in microseconds of processor time or of waiting; memory is in bytes. Whatever --json prints is one object \
            a line.
            """,
        version: "pspbench \(Version.current)",
        subcommands: [SwarmCommand.self, PublishCommand.self, PushCommand.self, CrowdCommand.self])
}
