internal import Base
internal import Glibc
internal import Push

/// What the process says to whoever has started it, in their language. The log is another matter: it is English.
struct Console {
    let language: Language

    /// On standard output.
    /// - Returns: whether all of it was written.
    func tell(_ text: String) -> Bool { Self.write(text, to: STDOUT_FILENO) }

    /// One line on standard output.
    func tell(_ line: BilingualText) -> Bool { tell(Self.line(line, in: language)) }

    /// One line on standard error, behind what the log still has to write.
    func complain(_ line: BilingualText, _ log: LogWriter? = nil) {
        let text = Self.line(line, in: language)
        // Where standard error cannot be written either, the exit code is all that is left to say it.
        if let log { log.write(text) } else { _ = Self.write(text, to: STDERR_FILENO) }
    }

    private static func line(_ text: BilingualText, in language: Language) -> String {
        text.after("pspd").text(in: language) + "\n"
    }

    /// Unbuffered, so nothing has to be flushed.
    private static func write(_ text: String, to descriptor: Int32) -> Bool {
        do throws(SystemError) {
            try writeAll(Array(text.utf8), to: descriptor)
            return true
        } catch {
            return false
        }
    }
}
