internal import Foundation

/// What goes to the terminal: results to standard output, progress to standard error.
enum Output {
    /// One object, one line.
    static func json(_ value: some Encodable) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        line(String(decoding: try encoder.encode(value), as: UTF8.self))
    }

    /// A line of a result, at once even into a pipe.
    static func line(_ text: String) { FileHandle.standardOutput.write(Data((text + "\n").utf8)) }

    /// A line of progress.
    static func progress(_ text: String) { FileHandle.standardError.write(Data((text + "\n").utf8)) }

    /// Names and values in two columns.
    static func table(_ rows: [(String, String)]) {
        let width = rows.map(\.0.count).max() ?? 0
        for (name, value) in rows { line(name + String(repeating: " ", count: width - name.count + 2) + value) }
    }

    /// `12,345`
    static func grouped(_ number: some BinaryInteger) -> String {
        var text = ""
        for (index, digit) in String(number.magnitude).reversed().enumerated() {
            if index > 0, index % 3 == 0 { text.append(",") }
            text.append(digit)
        }
        return (number < 0 ? "-" : "") + String(text.reversed())
    }

    /// `1.23 ms` of microseconds.
    static func time(_ microseconds: UInt64) -> String {
        switch microseconds {
        case ..<1000: "\(microseconds) µs"
        case ..<1_000_000: String(format: "%.2f ms", Double(microseconds) / 1000)
        default: String(format: "%.2f s", Double(microseconds) / 1_000_000)
        }
    }

    /// The rows of a latency.
    static func rows(_ name: String, _ latency: Latencies.Summary?) -> [(String, String)] {
        guard let latency else { return [] }
        let times = [
            ("p50", latency.p50), ("p90", latency.p90), ("p99", latency.p99), ("p99.9", latency.p999), ("max", latency.max),
        ]
        return [(name, times.map { "\($0.0) \(time($0.1))" }.joined(separator: "   "))]
    }

    /// The rows of a process that was watched.
    static func rows(_ name: String, from before: ProcessUsage?, to after: ProcessUsage?, per units: Int) -> [(String, String)] {
        guard let before, let after else { return [] }
        let cpu = after.cpu - before.cpu
        let each = units > 0 ? String(format: ", %.2f µs each", Double(cpu) / Double(units)) : ""
        return [
            (
                name,
                "CPU \(time(UInt64(max(0, cpu))))\(each); RSS \(grouped(before.rss / 1024)) to \(grouped(after.rss / 1024)) KiB"
            )
        ]
    }
}
