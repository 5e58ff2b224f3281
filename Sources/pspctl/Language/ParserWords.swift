import Push

/// What the argument parser says by itself, in Chinese.
enum ParserWords {
    private static var phrases: [(english: Regex<AnyRegexOutput>, chinese: String)] {
        [
            (pattern(#"^OVERVIEW: "#), "概述："), (pattern(#"^USAGE: "#), "用法："), (pattern(#"^Usage: "#), "用法："),
            (pattern(#"^Error: "#), "错误："), (pattern(#"^Help: +"#), "说明："), (pattern(#"^ARGUMENTS:$"#), "参数："),
            (pattern(#"^OPTIONS:$"#), "选项："),
            (pattern(#"^SUBCOMMANDS:$"#), "子命令："), (pattern(#"Show help information\.$"#), "显示帮助。"),
            (pattern(#"Show the version\.$"#), "显示版本。"), (pattern(#"Show subcommand help information\.$"#), "显示子命令的帮助。"),
            (pattern(#"^  See '(.+)' for detailed help\.$"#), "  详细说明见 '$1'。"),
            (pattern(#"^  See '(.+)' for more information\.$"#), "  更多说明见 '$1'。"),
            (pattern(#"\(values: ([^;)]+); default: ([^)]+)\)$"#), "（可用：$1；默认：$2）"),
            (pattern(#"\(values: ([^)]+)\)$"#), "（可用：$1）"), (pattern(#"\(default: ([^)]+)\)$"#), "（默认：$1）"),
            (pattern(#"Missing expected argument '(.+)'$"#), "缺少参数 '$1'"),
            (pattern(#"Missing value for '(.+)'$"#), "'$1' 缺少值"), (pattern(#"Missing required subcommand\.$"#), "缺少子命令。"),
            (pattern(#"Unknown option '(.+)'\. Did you mean '(.+)'\?$"#), "未知选项 '$1'，是否指 '$2'？"),
            (pattern(#"Unknown option '(.+)'$"#), "未知选项 '$1'"), (pattern(#"Unexpected argument '(.+)'$"#), "多余的参数 '$1'"),
            (pattern(#"([0-9]+) unexpected arguments: (.+)$"#), "$1 个多余的参数：$2"),
            (
                pattern(#"The value '(.*)' is invalid for '(.+)'\. Please provide one of the following:$"#),
                "'$2' 的值 '$1' 无效，可用："
            ),
            (
                pattern(#"The value '(.*)' is invalid for '(.+)'\. Please provide (?:one of )?(.+)\.$"#),
                "'$2' 的值 '$1' 无效，可用：$3。"
            ), (pattern(#"The value '(.*)' is invalid for '(.+)'$"#), "'$2' 的值 '$1' 无效"),
            (pattern(#"The value '(.*)' is invalid for '(.+)': (.+)$"#), "'$2' 的值 '$1' 无效：$3"),
            (pattern(#"' (?:and|or) '"#), "'、'"), (pattern(#"^(\p{Han}+):$"#), "$1："),
        ]
    }

    /// The parser's text in the language of the program.
    static func translated(_ text: String) -> String {
        guard Speech.language == .chinese else { return text }
        let phrases = phrases
        return text.split(separator: "\n", omittingEmptySubsequences: false).map { line in
            phrases.reduce(String(line)) { line, phrase in replaced(line, phrase.english, by: phrase.chinese) }
        }.joined(separator: "\n")
    }

    private static func replaced(_ line: String, _ english: Regex<AnyRegexOutput>, by chinese: String) -> String {
        guard let match = line.firstMatch(of: english) else { return line }
        var text = chinese
        for index in 1..<max(1, match.output.count) {
            text = text.replacing("$\(index)", with: match.output[index].substring.map(String.init) ?? "")
        }
        return line.replacingCharacters(in: match.range, with: text)
    }

    /// The patterns are the program's own: one that is broken matches nothing, and a test says so.
    private static func pattern(_ text: String) -> Regex<AnyRegexOutput> {
        (try? Regex(text)) ?? Regex(verbatim: "\0")
    }
}
