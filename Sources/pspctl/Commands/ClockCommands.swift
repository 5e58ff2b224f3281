import ArgumentParser
import JSON

/// `pspctl clock`, `pspctl clock accept`
struct ClockCommands: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "clock", abstract: "How the server tells the time: its wall clock, and the store time by which things end.",
        subcommands: [ClockShow.self, ClockAccept.self], defaultSubcommand: ClockShow.self)
}

struct ClockShow: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Show both, and what store time waits for when the wall clock is ahead.",
        discussion: "EXAMPLE\n  pspctl clock")

    @OptionGroup(title: "Server")
    var server: ServerOptions

    static let path = ["psp", "admin", "clock"]

    func run() async throws {
        let data = try await server.adminClient().send(Call(.get, Self.path)).data
        if server.json { return Output.json(data.minified()) }
        for line in ClockLines.lines(of: data) { print(line) }
    }
}

struct ClockAccept: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "accept", abstract: "Say that the wall clock is right: store time goes forward to it.",
        discussion: """
            What was accepted before the clock was set ahead is then older by as much, and may have expired. Where the wall \
            clock is not ahead of store time this changes nothing.

            EXAMPLE
              pspctl clock accept
            """)

    @OptionGroup(title: "Server")
    var server: ServerOptions

    var call: Call { Call(.post, ClockShow.path + ["accept"]) }

    func run() async throws {
        let data = try await server.adminClient().send(call).data
        if server.json { return Output.json(data.minified()) }
        for line in ClockLines.lines(of: data) { print(line) }
    }
}

/// What the server says of its clocks, in words.
enum ClockLines {
    static func lines(of state: JSONValue) -> [String] {
        let offset = state["offset"]?.int64 ?? 0
        let difference =
            offset == 0 ? "" : "  (\(duration(offset.magnitude)) \(offset < 0 ? "ahead of" : "behind") the wall clock)"
        var lines = [
            "wall clock    \(time(state["wall_clock"]))",
            "store time    \(time(state["store_time"]))\(difference)",
            "synchronised  \(state["synchronised"]?.kind == .true ? "yes" : "no")",
            "steps         \(state["steps"]?.int64 ?? 0) since the start",
        ]
        if let ahead = state["ahead"] { lines += ["", "The wall clock is ahead since \(time(ahead["since"])); \(wait(ahead))."] }
        return lines
    }

    private static func wait(_ ahead: JSONValue) -> String {
        if ahead["waits_for"]?.string == "synchronisation" {
            return "store time waits until the system says that its clock is synchronised, or for `pspctl clock accept`"
        }
        return "store time follows at \(time(ahead["follows_at"])) unless it is set again"
    }

    private static func time(_ value: JSONValue?) -> String { value?.int64.map(Column.localTime) ?? "-" }

    /// Two units at most.
    static func duration(_ milliseconds: UInt64) -> String {
        let seconds = milliseconds / 1_000
        let parts = [(seconds / 86_400, "d"), (seconds / 3_600 % 24, "h"), (seconds / 60 % 60, "min"), (seconds % 60, "s")]
        guard let first = parts.firstIndex(where: { $0.0 > 0 }) else { return "\(milliseconds) ms" }
        return parts[first...].prefix(2).filter { $0.0 > 0 }.map { "\($0.0) \($0.1)" }.joined(separator: " ")
    }
}
