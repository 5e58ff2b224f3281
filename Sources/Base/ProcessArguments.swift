internal import CSystem

/// What the process was started with.
///
/// Swift's own `CommandLine.arguments` reads `/proc/self/cmdline`. Where that cannot be read, and where a preloaded library
/// changes the process's start, it is empty, and a server would start on its defaults. The C library's start-up always knows.
public enum ProcessArguments {
    /// The arguments, without the program's name. Bytes that are not UTF-8 are replaced (U+FFFD).
    public static var all: [String] {
        let count = psp_argument_count()
        guard count > 0 else { return Array(CommandLine.arguments.dropFirst()) }
        return (1..<max(1, count)).map { index in psp_argument(index).map { String(cString: $0) } ?? "" }
    }
}
