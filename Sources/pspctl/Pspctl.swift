import ArgumentParser
import Base
import Foundation
import Push

/// The operator's command line. Each command is one or a few calls to the server's admin interface. `push` and `stats` call the
/// interface of the apps instead, and sign as any caller does.
@main
struct Pspctl: AsyncParsableCommand {
    static var configuration: CommandConfiguration {
        CommandConfiguration(
            commandName: "pspctl",
            abstract: say(
                "Runs a push server: apps, organisations, devices, pushes, tasks.", "管理推送服务器：应用、组织机构、设备、推送、任务。"),
            discussion: say(
                """
                Finds the server of this machine by itself: its addresses in DIR/pspd.json, its admin token in DIR/admin.token, \
                where DIR is --data, else PSP_DATA, else that of PSP_STORE, else ./data. --admin, --http and --admin-token (or \
                PSP_ADMIN_TOKEN) name another.
                """,
                """
                自动找到本机的服务器：地址在 DIR/pspd.json，管理令牌在 DIR/admin.token，DIR 为 --data，否则 PSP_DATA，否则 PSP_STORE 中的，否则 ./data。\
                其他服务器用 --admin、--http 和 --admin-token（或 PSP_ADMIN_TOKEN）指定。
                """) + "\n\n"
                + HelpText.examples(
                    "pspctl org add police --name Police", "pspctl app add demo --name Demo --interface msg",
                    "pspctl device add phone-1 --platform android --org police",
                    "pspctl push unicast phone-1 --app demo --secret SECRET --title Hello", "pspctl task TASK_ID")
                + "\n\n"
                + say(
                    """
                    EXIT STATUS
                      0  done
                      1  refused by the server, not reached, or not done whole
                      2  wrong usage
                    """,
                    """
                    退出码
                      0  完成
                      1  被服务器拒绝、无法连接，或没有全部完成
                      2  用法错误
                    """),
            version: "pspctl \(Version.current)",
            subcommands: [
                AppCommands.self, OrganisationCommands.self, DeviceCommands.self, ImportCommand.self, ImportsCommand.self,
                OperatorCommands.self, LoginCommand.self, LogoutCommand.self, WhoAmICommand.self, PasswordCommand.self,
                PushCommands.self, TaskCommand.self, TasksCommand.self, ExplainCommand.self, CancelCommand.self,
                StatsCommand.self,
                StatusCommand.self, ClockCommands.self, TopCommand.self, DoctorCommand.self, LogLevelCommand.self,
                TraceCommand.self, AuditCommand.self,
                BackupCommand.self,
                RestoreCommand.self,
                CheckCommand.self, StoreCommands.self, NodesCommand.self,
            ])
    }

    /// Not the parser's own `main`, which ends with 64 on wrong usage.
    static func main() async {
        let arguments = ProcessArguments.all
        var running: (any ParsableCommand.Type)?
        do {
            try Suggestion.refuseUnknownCommand(in: arguments)
            var command = try await asyncParseAsRoot(arguments)
            running = type(of: command)
            if var asynchronous = command as? any AsyncParsableCommand {
                try await asynchronous.run()
            } else {
                try command.run()
            }
        } catch let failure as Failure {
            // A program that asked for JSON reads no sentences. Standard output stays for results.
            let isForProgram = arguments.contains("--json")
            Output.error(isForProgram ? String(decoding: failure.json, as: UTF8.self) : "pspctl: \(failure)")
            if !isForProgram, let running, case .refused(_, ErrorCode.missingField.rawValue, _, _) = failure {
                Output.error(usage(of: running, width: Terminal.width ?? 100))
            }
            Foundation.exit(1)
        } catch {
            guard let running, let mistake = error as? ValidationError else { exit(with: error) }
            Output.error(message(for: mistake, of: running, width: Terminal.width ?? 100))
            Foundation.exit(2)
        }
    }

    /// A mistake in the arguments that shows when the command runs: its usage stands below, as below those that the parser finds.
    static func message(for mistake: ValidationError, of command: any ParsableCommand.Type, width: Int) -> String {
        HelpText.wrapped(ParserWords.translated("Error: \(mistake.message)"), to: width) + "\n" + usage(of: command, width: width)
    }

    /// How a command is to be typed, and where there is more about it.
    private static func usage(of command: any ParsableCommand.Type, width: Int) -> String {
        let usage = usageString(for: command)
        let path = usage.split(separator: " ").prefix { !$0.hasPrefix("[") && !$0.hasPrefix("<") }.joined(separator: " ")
        let text = "Usage: \(usage)\n  See '\(path) --help' for more information."
        return HelpText.wrapped(ParserWords.translated(text), to: width)
    }

    /// Help, the version, a mistake in the arguments, or a command that has said what it had to say.
    private static func exit(with error: any Error) -> Never {
        let code = exitCode(for: error)
        let message = message(for: error, width: Terminal.width ?? 100)
        guard code != .success else {
            if !message.isEmpty { print(message) }
            Foundation.exit(0)
        }
        if !message.isEmpty { Output.error(message) }
        Foundation.exit(code == .validationFailure ? 2 : code.rawValue)
    }

    /// What the parser says, in the language of the program. It is asked for lines of any length, since it would break commands
    /// in two.
    static func message(for error: any Error, width: Int) -> String {
        HelpText.wrapped(ParserWords.translated(fullMessage(for: error, columns: 10_000)), to: width)
    }
}
