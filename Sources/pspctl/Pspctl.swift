import ArgumentParser
import Base
import Foundation

/// The operator's command line. Each command is one or a few calls to the server's admin interface. `push` and `stats` call the
/// interface of the apps instead, and sign as any caller does.
@main
struct Pspctl: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pspctl",
        abstract: "Runs a push server: apps, organisations, devices, pushes, tasks.",
        discussion: """
            Finds the server of this machine by itself: its addresses in DIR/pspd.json, its admin token in DIR/admin.token, \
            where DIR is --data, else PSP_DATA, else ./data. --admin, --http and --admin-token (or PSP_ADMIN_TOKEN) name \
            another.

            EXAMPLES
              pspctl org add police --name Police
              pspctl app add demo --name Demo --interface msg
              pspctl device add phone-1 --platform android --org police
              pspctl push unicast phone-1 --app demo --secret SECRET --title Hello
              pspctl task TASK_ID

            EXIT STATUS
              0  done
              1  refused by the server, not reached, or not done whole
              2  wrong usage
            """,
        version: "pspctl \(Version.current)",
        subcommands: [
            AppCommands.self, OrganisationCommands.self, DeviceCommands.self, ImportCommand.self, ImportsCommand.self,
            PushCommands.self,
            TaskCommand.self,
            TasksCommand.self, CancelCommand.self, StatsCommand.self, ClockCommands.self,
            BackupCommand.self, RestoreCommand.self, CheckCommand.self,
        ])

    /// Not the parser's own `main`, which ends with 64 on wrong usage.
    static func main() async {
        do {
            var command = try await asyncParseAsRoot(ProcessArguments.all)
            if var asynchronous = command as? any AsyncParsableCommand {
                try await asynchronous.run()
            } else {
                try command.run()
            }
        } catch let failure as Failure {
            Output.error("pspctl: \(failure)")
            Foundation.exit(1)
        } catch {
            exit(with: error)
        }
    }

    /// Help, the version, a mistake in the arguments, or a command that has said what it had to say.
    private static func exit(with error: any Error) -> Never {
        let code = exitCode(for: error)
        let message = fullMessage(for: error)
        guard code != .success else {
            if !message.isEmpty { print(message) }
            Foundation.exit(0)
        }
        if !message.isEmpty { Output.error(message) }
        Foundation.exit(code == .validationFailure ? 2 : code.rawValue)
    }
}
