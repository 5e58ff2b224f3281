/// What a script tells a swarm, one line each on standard input.
enum Order: Equatable, Sendable {
    /// `connect`: connects what is not connected; returns at once.
    case connect
    /// `handshake`: connects likewise, and closes each connection as soon as its handshake is done.
    case handshake
    /// `wait connected [SECONDS]`, `wait each K [SECONDS]`, `wait total N [SECONDS]`
    case wait(Goal, seconds: Int)
    /// `reset`: forgets what was counted.
    case reset
    /// `stall N`: the first N devices stop reading.
    case stall(Int)
    /// `resume`: all read again.
    case resume
    /// `hold`: from now on acknowledgements are kept back.
    case hold
    /// `release`: what was kept back is acknowledged, and what comes is again at once.
    case release
    /// `disconnect`: all say DISCONNECT and close.
    case disconnect
    /// `cut`: all close without a word.
    case cut
    /// `report`: the counts with the whole histogram.
    case report
    /// `count`: the counts.
    case count
    /// `quit`
    case quit

    /// How long `wait` waits unless told, in seconds.
    static let defaultWait = 120

    /// Nil for a line that is no order.
    init?(_ line: String) {
        let words = line.split(separator: " ").map(String.init)
        let number = words.count > 1 ? Int(words[1]) : nil
        switch (words.first, words.count, number) {
        case ("connect", 1, _): self = .connect
        case ("handshake", 1, _): self = .handshake
        case ("reset", 1, _): self = .reset
        case ("resume", 1, _): self = .resume
        case ("hold", 1, _): self = .hold
        case ("release", 1, _): self = .release
        case ("disconnect", 1, _): self = .disconnect
        case ("cut", 1, _): self = .cut
        case ("report", 1, _): self = .report
        case ("count", 1, _): self = .count
        case ("quit", 1, _): self = .quit
        case ("stall", 2, let number?) where number >= 0: self = .stall(number)
        case ("wait", 2..., _):
            guard let wait = Self.wait(words.dropFirst()) else { return nil }
            self = wait
        default: return nil
        }
    }

    private static func wait(_ words: ArraySlice<String>) -> Order? {
        var words = words
        let kind = words.removeFirst()
        let goal: Goal
        if kind == "connected" {
            goal = .connected
        } else {
            guard let text = words.popFirst(), let number = UInt32(text) else { return nil }
            switch kind {
            case "each": goal = .each(number)
            case "total": goal = .total(Int(number))
            default: return nil
            }
        }
        guard let text = words.popFirst() else { return .wait(goal, seconds: defaultWait) }
        guard words.isEmpty, let seconds = Int(text), seconds >= 0 else { return nil }
        return .wait(goal, seconds: seconds)
    }

    /// The order as the line that it came from.
    var line: String {
        switch self {
        case .connect: "connect"
        case .handshake: "handshake"
        case .wait(.connected, let seconds): "wait connected \(seconds)"
        case .wait(.each(let count), let seconds): "wait each \(count) \(seconds)"
        case .wait(.total(let count), let seconds): "wait total \(count) \(seconds)"
        case .reset: "reset"
        case .stall(let count): "stall \(count)"
        case .resume: "resume"
        case .hold: "hold"
        case .release: "release"
        case .disconnect: "disconnect"
        case .cut: "cut"
        case .report: "report"
        case .count: "count"
        case .quit: "quit"
        }
    }
}

/// What a swarm can be waited for.
enum Goal: Equatable, Sendable {
    /// Each device is ready, or was refused.
    case connected
    /// Each device has received so many messages since the last reset.
    case each(UInt32)
    /// All devices together have received so many.
    case total(Int)
}
