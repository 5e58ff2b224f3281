import Base
import Foundation

/// Standard output for results, standard error for everything else.
enum Output {
    /// Prints a line to standard error.
    static func error(_ text: String) {
        FileHandle.standardError.write(Data((text + "\n").utf8))
    }

    /// Prints bytes that are JSON, and a line end.
    static func json(_ bytes: [UInt8]) {
        print(String(decoding: bytes, as: UTF8.self))
    }

    /// Asks on standard error, and takes anything but a clear yes for a no.
    static func confirms(_ question: String) -> Bool {
        FileHandle.standardError.write(Data(question.utf8))
        let answer = readLine()?.trimmingCharacters(in: .whitespaces).lowercased()
        return ["y", "yes", "是"].contains(answer)
    }

    /// What a server sends is shown as text and never obeyed: a terminal would take control characters as commands.
    static func printable(_ text: String) -> String {
        guard text.unicodeScalars.contains(where: \.isUnprintable) else { return text }
        return String(String.UnicodeScalarView(text.unicodeScalars.map { $0.isUnprintable ? "\u{FFFD}" : $0 }))
    }
}
