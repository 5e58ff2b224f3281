import ArgumentParser

/// What somebody may have meant who typed a command that there is not.
enum Suggestion {
    /// - Throws: `ValidationError` for a word where a command is wanted that names none; it tells the nearest.
    static func refuseUnknownCommand(in arguments: [String]) throws {
        var command: any ParsableCommand.Type = Pspctl.self
        var path = "pspctl"
        // `pspctl help app` explains what `pspctl app` runs.
        for word in arguments.first == "help" ? arguments.dropFirst() : arguments[...] {
            let subcommands = command.configuration.subcommands
            // Options of a group stand behind its command, so that a word is either a command or there is none.
            guard !subcommands.isEmpty, !word.hasPrefix("-") else { return }
            guard let next = subcommands.first(where: { $0.configuration.commandName == word }) else {
                throw unknown(word, after: path, subcommands.compactMap { $0.configuration.commandName })
            }
            command = next
            path += " " + word
        }
    }

    private static func unknown(_ word: String, after path: String, _ names: [String]) -> ValidationError {
        let shown = Output.printable(word)
        if word == "version" {
            return ValidationError(
                say(
                    "There is no command 'pspctl version': it is 'pspctl --version'.",
                    "没有命令 'pspctl version'，请用 'pspctl --version'。"))
        }
        guard let nearest = nearest(to: word, among: names) else {
            let all = names.joined(separator: ", ")
            return ValidationError(
                say("There is no command '\(path) \(shown)'; there are \(all).", "没有命令 '\(path) \(shown)'，可用：\(all)。"))
        }
        return ValidationError(
            say(
                "There is no command '\(path) \(shown)'. Did you mean '\(path) \(nearest)'?",
                "没有命令 '\(path) \(shown)'，是否指 '\(path) \(nearest)'？"))
    }

    /// The name with the fewest changes of a letter; `nil` where even that has little in common with the word.
    static func nearest(to word: String, among names: [String]) -> String? {
        let ranked = names.map { (name: $0, distance: distance(word, $0)) }.min { $0.distance < $1.distance }
        guard let ranked, ranked.distance <= max(2, ranked.name.count / 2) else { return nil }
        return ranked.name
    }

    /// How many letters have to be put in, taken out, replaced or swapped with their neighbour (optimal string alignment).
    static func distance(_ one: String, _ other: String) -> Int {
        let (one, other) = (Array(one.prefix(64)), Array(other))
        var rows = [Array(0...other.count)]
        for i in 1..<(one.count + 1) {
            var row = [i]
            for j in 1..<(other.count + 1) {
                let replaced = rows[i - 1][j - 1] + (one[i - 1] == other[j - 1] ? 0 : 1)
                var least = min(replaced, rows[i - 1][j] + 1, row[j - 1] + 1)
                if i > 1, j > 1, one[i - 1] == other[j - 2], one[i - 2] == other[j - 1] {
                    least = min(least, rows[i - 2][j - 2] + 1)
                }
                row.append(least)
            }
            rows.append(row)
        }
        return rows[one.count][other.count]
    }
}
