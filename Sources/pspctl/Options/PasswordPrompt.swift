import ArgumentParser
import Foundation

/// Where a password comes from: asked for on the terminal, without showing it, or a file's first line. Never an argument, which
/// every user of the machine sees.
enum PasswordPrompt {
    /// - Parameters:
    ///   - file: `-` is standard input.
    ///   - question: what is asked where no file is given.
    ///   - isNew: whether it is asked for twice.
    static func password(from file: String?, _ question: String, isNew: Bool = false) throws -> String {
        if let file { return try firstLine(of: file) }
        guard Terminal.canAsk else {
            throw ValidationError(
                say(
                    "Nobody can be asked, since standard input is no terminal: give --password-file.",
                    "标准输入不是终端，无法询问：请使用 --password-file。"))
        }
        let password = asked(question)
        if isNew, asked(say("Again: ", "再输入一次：")) != password {
            throw ValidationError(say("The two passwords differ.", "两次输入的密码不同。"))
        }
        return password
    }

    private static func firstLine(of file: String) throws -> String {
        if file == "-" { return readLine() ?? "" }
        guard let bytes = FileManager.default.contents(atPath: file) else { throw Failure.unreadable(file, .last) }
        return String(decoding: bytes.prefix { $0 != UInt8(ascii: "\n") && $0 != UInt8(ascii: "\r") }, as: UTF8.self)
    }

    /// Asks on standard error, and has the terminal show nothing of the answer.
    private static func asked(_ question: String) -> String {
        FileHandle.standardError.write(Data(question.utf8))
        var shown = termios()
        tcgetattr(STDIN_FILENO, &shown)
        var hidden = shown
        hidden.c_lflag &= ~tcflag_t(ECHO)
        tcsetattr(STDIN_FILENO, TCSAFLUSH, &hidden)
        defer {
            tcsetattr(STDIN_FILENO, TCSAFLUSH, &shown)
            FileHandle.standardError.write(Data("\n".utf8))
        }
        return readLine() ?? ""
    }
}
