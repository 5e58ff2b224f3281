import Foundation
import JSON

/// A column of a table: a heading, and what it shows of an item.
struct Column: Sendable {
    let heading: String
    let isNumber: Bool
    let text: @Sendable (JSONValue) -> String

    /// The member at a path of keys, shown by its kind.
    init(_ heading: String, _ path: String..., isNumber: Bool = false) {
        self.heading = heading
        self.isNumber = isNumber
        text = { item in
            var value: JSONValue? = item
            for key in path { value = value?[key] }
            return Column.show(value, named: path.last ?? "")
        }
    }

    init(_ heading: String, text: @escaping @Sendable (JSONValue) -> String) {
        self.heading = heading
        isNumber = false
        self.text = text
    }

    /// A value as people read it: times as local time, absent as a dash.
    static func show(_ value: JSONValue?, named name: String) -> String {
        guard let value, !value.isNull else { return "-" }
        if isTime(name), let milliseconds = value.int64 { return localTime(milliseconds) }
        return switch value.kind {
        case .string: Output.printable(value.string ?? "")
        case .true: say("yes", "是")
        case .false: say("no", "否")
        case .array: value.elements.map { show($0, named: "") }.joined(separator: ", ")
        default: Output.printable(String(decoding: value.minified(), as: UTF8.self))
        }
    }

    private static func isTime(_ name: String) -> Bool { name.hasSuffix("_at") || name == "last_seen" }

    static func localTime(_ milliseconds: Int64) -> String {
        let style = Date.VerbatimFormatStyle(
            format: """
                \(year: .padded(4))-\(month: .twoDigits)-\(day: .twoDigits) \
                \(hour: .twoDigits(clock: .twentyFourHour, hourCycle: .zeroBased)):\(minute: .twoDigits):\(second: .twoDigits)
                """,
            timeZone: .current, calendar: Calendar(identifier: .gregorian))
        return Date(timeIntervalSince1970: Double(milliseconds) / 1000).formatted(style)
    }
}
