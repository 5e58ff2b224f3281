import ArgumentParser
import JSON
import Push
import Testing

@testable import pspctl

@Suite("The language of the program")
struct LanguageTests {
    private static func isChinese(_ text: some StringProtocol) -> Bool {
        text.unicodeScalars.contains { (0x4E00...0x9FFF).contains($0.value) }
    }

    @Test(
        "it is that of the locale for messages",
        arguments: [
            ([:], .english), (["LANG": "zh_CN.UTF-8"], .chinese), (["LANG": "en_US.UTF-8"], .english), (["LANG": "C"], .english),
            (["LANG": "en_US", "LC_MESSAGES": "zh_TW"], .chinese), (["LANG": "zh_CN", "LC_ALL": "C.UTF-8"], .english),
            (["LC_ALL": "", "LANG": "zh"], .chinese), (["LC_MESSAGES": "de_DE", "LANG": "zh_CN"], .english),
        ] as [([String: String], Language)])
    func environment(environment: [String: String], language: Language) {
        #expect(Language { environment[$0] } == language)
    }

    /// Every command, with all that is below it.
    private static func commands(from command: any ParsableCommand.Type = Pspctl.self) -> [any ParsableCommand.Type] {
        [command] + command.configuration.subcommands.flatMap { commands(from: $0) }
    }

    @Test("no text of any command's help lacks its twin", arguments: [Language.chinese, .english])
    func help(language: Language) throws {
        Speech.$language.withValue(language) {
            for command in Self.commands() {
                let text = ParserWords.translated(Pspctl.helpMessage(for: command, columns: 10_000))
                var isExample = false
                for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
                    isExample =
                        line.isEmpty
                        ? false : isExample || line == HelpText.examples || line.contains("\"kind\":") || line.contains(",org_id")
                    // Names of commands and options are the same in both languages; a line that is nothing else has no words.
                    let words = line.split(separator: " ").drop { $0.hasPrefix("-") || $0.hasPrefix("<") || $0.hasSuffix(">") }
                    guard !isExample, words.count > 1 || line.hasSuffix(":"), !line.hasPrefix("USAGE")
                    else {
                        continue
                    }
                    #expect(Self.isChinese(line) == (language == .chinese), "\(command): \(line)")
                }
            }
        }
    }

    @Test(
        "mistakes in the arguments are told in both languages",
        arguments: [
            (["push", "unicast"], "缺少参数 '<token>'", "Missing expected argument '<token>'"),
            (
                ["device", "add", "d", "--platform", "x"], "'--platform <name>' 的值 'x' 无效，可用：'android'、'ios'。",
                "Please provide one of"
            ),
            (
                ["app", "list", "--limit", "-1"], "'--limit <n>' 的值 '-1' 无效：应为不小于 1 的整数",
                "The value '-1' is invalid for '--limit <n>': expected a whole number of at least 1"
            ),
            (
                ["app", "add", "a", "--rate", "x"], "'--rate <n>' 的值 'x' 无效：应为 0 到 1000000000 的整数",
                "expected a whole number from 0 to 1000000000"
            ),
            (
                ["trace", "--app", "a", "--minutes", "61"], "'--minutes <n>' 的值 '61' 无效：应为 1 到 60 的整数",
                "expected a whole number from 1 to 60"
            ),
            (
                ["tasks", "--from", "yesterday"], "'--from <time>' 的值 'yesterday' 无效：应为 Unix 秒",
                "expected Unix seconds (10 digits)"
            ),
            (["app", "add", "a", "--nmae", "x"], "未知选项 '--nmae'，是否指 '--name'？", "Did you mean '--name'?"),
            (["app", "list", "more"], "多余的参数 'more'", "Unexpected argument 'more'"),
            (["stats", "--tag"], "'--tag <text>' 缺少值", "Missing value"),
            (
                ["task", "t", "--state", "x"], "'--state <state>' 的值 'x' 无效，可用：\n", "Please provide one of the following:\n"
            ),
        ])
    func mistakes(arguments: [String], chinese: String, english: String) {
        for (language, text) in [(Language.chinese, chinese), (.english, english)] {
            Speech.$language.withValue(language) {
                let error = #expect(throws: (any Error).self) { try Pspctl.parseAsRoot(arguments) }
                let message = error.map { Pspctl.message(for: $0, width: 1_000) } ?? ""
                #expect(message.contains(text), "\(message)")
            }
        }
    }

    @Test("below a mistake that shows when a command runs stands the usage of that command")
    func lateMistake() {
        let mistake = ValidationError("no app")
        let text = Pspctl.message(for: mistake, of: PushUnicast.self, width: 1_000)
        #expect(
            text.hasPrefix("Error: no app\nUsage: pspctl push unicast ")
                && text.hasSuffix("See 'pspctl push unicast --help' for more information."))
        Speech.$language.withValue(.chinese) {
            #expect(
                Pspctl.message(for: mistake, of: PushUnicast.self, width: 1_000).hasPrefix("错误：no app\n用法：pspctl push unicast "))
        }
    }

    @Test("the server is asked for errors in the same language")
    func errors() {
        Speech.$language.withValue(.chinese) { #expect(Speech.acceptLanguage == "zh") }
        Speech.$language.withValue(.english) { #expect(Speech.acceptLanguage == "en") }
    }

    @Test("what the server names in English has its word beside it")
    func values() throws {
        try Speech.$language.withValue(.chinese) {
            for state in RecipientState.allCases { #expect(Self.isChinese(ValueWords.short(state.rawValue, named: "state"))) }
            for reason in Explanation.Reason.allCases {
                #expect(Self.isChinese(ValueWords.both(reason.rawValue, named: "reason")))
            }
            for health in ["serving", "behind", "disk_full", "blocked", "unreachable", "failed"] {
                #expect(Self.isChinese(ValueWords.both(health, named: "health")))
            }
            let task = try JSONDocument(parsing: #"{"status":"superseded","name":"active"}"#).root
            #expect(Details.lines(of: task) == ["status  被新配置取代（superseded）", "name    active"])
        }
        Speech.$language.withValue(.english) { #expect(ValueWords.both("pending", named: "state") == "pending") }
    }

    @Test("headings of tables have both languages")
    func headings() {
        Speech.$language.withValue(.chinese) {
            for column in AppResource.columns + OrganisationResource.columns + DeviceResource.columns + TasksCommand.columns {
                #expect(Self.isChinese(column.heading))
            }
        }
    }
}

@Suite("A command that there is not")
struct SuggestionTests {
    @Test(
        "the nearest is suggested",
        arguments: [
            ("devcie", "device"), ("app", "app"), ("orgs", "org"), ("tsak", "task"), ("statistics", nil), ("xyz", nil), ("", nil),
        ] as [(String, String?)])
    func nearest(word: String, name: String?) {
        #expect(
            Suggestion.nearest(to: word, among: ["app", "org", "device", "push", "task", "tasks", "cancel", "stats"]) == name)
    }

    @Test("only a word that stands where a command is wanted is judged")
    func commands() throws {
        for arguments in [
            ["app", "list"], ["help", "app", "add"], ["help"], ["--help"], ["push", "unicast", "lits"], [], ["app"],
        ] {
            try Suggestion.refuseUnknownCommand(in: arguments)
        }
        let error = #expect(throws: ValidationError.self) { try Suggestion.refuseUnknownCommand(in: ["app", "lits", "--all"]) }
        #expect(error?.message == "There is no command 'pspctl app lits'. Did you mean 'pspctl app list'?")
        let helpless = #expect(throws: ValidationError.self) { try Suggestion.refuseUnknownCommand(in: ["help", "app", "set"]) }
        #expect(helpless?.message.contains("'pspctl app set'") == true)
        let version = #expect(throws: ValidationError.self) { try Suggestion.refuseUnknownCommand(in: ["version"]) }
        #expect(version?.message.contains("pspctl --version") == true)
    }
}
