import Foundation

/// How far a long command is, on standard error: a bar where that is a terminal, else a line now and then.
final class Progress {
    private static let width = 30
    /// Between two lines where there is no terminal, in seconds.
    private static let interval: TimeInterval = 10

    private static let isTerminal = isatty(FileHandle.standardError.fileDescriptor) == 1
    private let isSilent: Bool
    private var lastLine = Date.now

    /// - Parameter isSilent: says nothing, for scripts.
    init(isSilent: Bool) { self.isSilent = isSilent }

    /// - Parameters:
    ///   - fraction: of the whole that is done; `nil` where the whole is not known.
    ///   - text: what has been done.
    func show(_ fraction: Double?, _ text: String) {
        guard !isSilent else { return }
        guard Self.isTerminal else {
            guard -lastLine.timeIntervalSinceNow >= Self.interval else { return }
            lastLine = .now
            return Output.error(text)
        }
        var bar = ""
        if let fraction {
            let done = Int((min(1, fraction) * Double(Self.width)).rounded())
            bar =
                "[" + String(repeating: "#", count: done) + String(repeating: ".", count: Self.width - done)
                + "] \(Int(min(1, fraction) * 100)) %  "
        }
        Self.write("\r\(bar)\(text)\u{1B}[K")
    }

    /// Takes the bar away.
    func clear() {
        if !isSilent { Self.makeRoom() }
    }

    /// Makes room for a line of something else where a bar may be.
    static func makeRoom() {
        if isTerminal { write("\r\u{1B}[K") }
    }

    private static func write(_ text: String) {
        FileHandle.standardError.write(Data(text.utf8))
    }
}
