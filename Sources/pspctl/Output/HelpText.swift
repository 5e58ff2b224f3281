/// Wraps help for a terminal, and leaves the lines of examples whole: what is copied from the screen can be pasted.
enum HelpText {
    /// The headings under which lines are commands.
    static var examples: String { say("EXAMPLES", "示例") }

    /// Examples as a section of a command's description.
    static func examples(_ lines: String...) -> String {
        examples + "\n" + lines.map { "  " + $0 }.joined(separator: "\n")
    }

    /// Where the descriptions of options begin.
    private static let optionColumn = 26

    /// - Parameters:
    ///   - text: help or an error, with lines of any length.
    ///   - width: of the terminal, in cells.
    static func wrapped(_ text: String, to width: Int) -> String {
        var isExample = false
        return text.split(separator: "\n", omittingEmptySubsequences: false).map { line in
            isExample = line.isEmpty ? false : isExample || line == examples
            return isExample ? String(line) : wrapped(String(line), to: max(40, width), indent: indent(of: line))
        }.joined(separator: "\n")
    }

    /// Where the lines after the first begin.
    private static func indent(of line: Substring) -> Int {
        let leading = line.prefix { $0 == " " }.count
        let label = line.prefix(optionColumn)
        let isOption = leading == 2 && label.count == optionColumn && label.hasSuffix("  ")
        if isOption { return optionColumn }
        let usage = ["USAGE: ", "Usage: ", "用法："].first { line.hasPrefix($0) }
        return usage.map { Terminal.width(of: $0) } ?? leading
    }

    private static func wrapped(_ line: String, to width: Int, indent: Int) -> String {
        var lines: [String] = []
        var (current, used) = ("", 0)
        for word in words(of: line) {
            let cells = Terminal.width(of: word)
            if used + Terminal.width(of: word.trimmed) > width, used > indent {
                lines.append(current.trimmed)
                current = String(repeating: " ", count: indent)
                used = indent
                guard word != " " else { continue }
            }
            current += word
            used += cells
        }
        return (lines + [current.trimmed]).joined(separator: "\n")
    }

    /// What no line begins with.
    private static let closing: Set<Character> = ["，", "。", "、", "；", "：", "）", "？", "！"]

    /// Pieces between which a line may break: after a space, and after a wide character.
    private static func words(of line: String) -> [String] {
        var words: [String] = []
        var word = ""
        for character in line {
            if word.isEmpty, closing.contains(character), !words.isEmpty {
                words[words.count - 1].append(character)
                continue
            }
            word.append(character)
            guard character == " " || Terminal.width(of: character) == 2 else { continue }
            words.append(word)
            word = ""
        }
        return word.isEmpty ? words : words + [word]
    }
}

extension String {
    /// Without the spaces at its end.
    fileprivate var trimmed: String {
        var text = self
        while text.last == " " { text.removeLast() }
        return text
    }
}
