import Foundation

/// A bar on standard error, where that is a terminal; else nothing.
struct Progress {
    private static let width = 30

    private let isShown = isatty(FileHandle.standardError.fileDescriptor) == 1

    /// - Parameters:
    ///   - fraction: of the whole that is done; `nil` where the whole is not known.
    ///   - text: what has been done.
    func show(_ fraction: Double?, _ text: String) {
        guard isShown else { return }
        var bar = ""
        if let fraction {
            let done = Int((min(1, fraction) * Double(Progress.width)).rounded())
            bar =
                "[" + String(repeating: "#", count: done) + String(repeating: ".", count: Progress.width - done)
                + "] \(Int(min(1, fraction) * 100)) %  "
        }
        write("\r\(bar)\(text)\u{1B}[K")
    }

    /// Takes the bar away.
    func clear() {
        if isShown { write("\r\u{1B}[K") }
    }

    private func write(_ text: String) {
        FileHandle.standardError.write(Data(text.utf8))
    }
}
