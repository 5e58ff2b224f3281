import Foundation

/// What the program's output goes to.
enum Terminal {
    /// How many columns standard output has; `nil` where it is no terminal, and lines may be of any length.
    static var width: Int? {
        guard isatty(STDOUT_FILENO) == 1 else { return nil }
        var size = winsize()
        guard ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return nil }
        return Int(size.ws_col)
    }

    /// Empties the screen; where output goes elsewhere, an empty line parts what was shown from what follows.
    static func clear() { print(isatty(STDOUT_FILENO) == 1 ? "\u{1B}[H\u{1B}[2J" : "") }

    /// Whether somebody can be asked.
    static var canAsk: Bool { isatty(STDIN_FILENO) == 1 }

    /// How many cells a text takes: two for an East Asian wide character (UAX #11), one for any other.
    static func width(of text: some StringProtocol) -> Int { text.reduce(0) { $0 + width(of: $1) } }

    /// How many cells a character takes.
    static func width(of character: Character) -> Int {
        guard let first = character.unicodeScalars.first else { return 0 }
        switch first.value {
        case 0x1100...0x115F, 0x2E80...0xA4CF, 0xAC00...0xD7A3, 0xF900...0xFAFF, 0xFE30...0xFE6F, 0xFF00...0xFF60,
            0xFFE0...0xFFE6, 0x1F300...0x1FAFF, 0x20000...0x3FFFD:
            return 2
        default: return 1
        }
    }

    /// As much of a text as fits in so many cells, with a sign where something was cut.
    static func cut(_ text: String, to cells: Int) -> String {
        guard width(of: text) > cells else { return text }
        var (cut, used) = ("", 0)
        for character in text {
            let next = width(of: character)
            guard used + next <= cells - 1 else { break }
            cut.append(character)
            used += next
        }
        return cells > 0 ? cut + "…" : ""
    }
}
