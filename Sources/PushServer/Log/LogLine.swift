internal import Base
internal import Logging

/// One log line as bytes. Pure: time, level and words in; text or JSON out.
struct LogLine {
    /// Unix milliseconds.
    let time: Int64
    let level: Logger.Level
    let label: String
    let message: String
    let metadata: Logger.Metadata

    /// `2026-01-31T08:15:00.123Z info gateway: device connected device=…`
    var text: String {
        var line = "\(UTCTime.rfc3339(time)) \(level.rawValue) \(label): \(Self.printable(message))"
        for (key, value) in metadata.sorted(by: { $0.key < $1.key }) {
            line += " \(key)=\(Self.printable(value.description))"
        }
        return line + "\n"
    }

    /// The same as one JSON object.
    var json: String {
        var line = "{\"time\":\"\(UTCTime.rfc3339(time))\",\"level\":\"\(level.rawValue)\","
        line += "\"label\":\(Self.quoted(label)),\"message\":\(Self.quoted(message))"
        for (key, value) in metadata.sorted(by: { $0.key < $1.key }) {
            line += ",\(Self.quoted(key)):\(Self.quoted(value.description))"
        }
        return line + "}\n"
    }

    /// Escapes what is not printable: what a peer sent must not forge a line or control a terminal.
    private static func printable(_ text: String) -> String {
        guard text.unicodeScalars.contains(where: \.isUnprintable) else { return text }
        return text.unicodeScalars.reduce(into: "") { line, scalar in
            if scalar.isUnprintable {
                line += "\\u{\(String(scalar.value, radix: 16))}"
            } else {
                line.unicodeScalars.append(scalar)
            }
        }
    }

    private static func quoted(_ text: String) -> String {
        var out = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": out += "\\\""
            case "\\": out += "\\\\"
            case _ where scalar.isUnprintable:
                let digits = String(scalar.value, radix: 16)
                out += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: out.unicodeScalars.append(scalar)
            }
        }
        return out + "\""
    }
}
