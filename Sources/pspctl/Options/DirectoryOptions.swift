import ArgumentParser
import Foundation

/// Which data directory, for what is done with its files rather than by the server.
struct DirectoryOptions: ParsableArguments {
    @Option(help: ArgumentHelp("The data directory; else PSP_DATA, else ./data.", valueName: "dir"))
    var data: String?

    @Flag(help: "Print JSON for scripts instead of text for people.")
    var json = false

    func path(environment: [String: String] = ProcessInfo.processInfo.environment) -> String {
        DataDirectory(option: data, environment: environment).path
    }
}
