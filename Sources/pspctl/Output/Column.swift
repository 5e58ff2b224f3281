import Foundation
import JSON

/// A column of a table: a heading, and what it shows of an item.
struct Column: Sendable {
    let heading: String
    let isNumber: Bool
    /// Whether a table leaves it out where no row has anything in it.
    let isOptional: Bool
    let text: @Sendable (JSONValue) -> String

    /// The member at a path of keys, shown by its kind.
    init(_ heading: String, _ path: String..., isNumber: Bool = false, isOptional: Bool = false) {
        let name = path.last ?? ""
        let isTime = Column.isTime(name)
        // The zone stands once, above its column.
        self.heading = isTime ? say("\(heading) (\(Column.zone))", "\(heading)（\(Column.zone)）") : heading
        self.isNumber = isNumber
        self.isOptional = isOptional
        text = { item in
            var value: JSONValue? = item
            for key in path { value = value?[key] }
            if isTime, let milliseconds = value?.int64 { return Column.timeOfDay(milliseconds) }
            return Column.show(value, named: name)
        }
    }

    init(_ heading: String, isNumber: Bool = false, text: @escaping @Sendable (JSONValue) -> String) {
        self.heading = heading
        self.isNumber = isNumber
        isOptional = false
        self.text = text
    }

    /// A value as people read it: times as local time, absent as a dash.
    /// - Parameter precisely: times with milliseconds, where steps are told that follow each other closely.
    static func show(_ value: JSONValue?, named name: String, precisely: Bool = false) -> String {
        guard let value, !value.isNull else { return "-" }
        if isTime(name), let milliseconds = value.int64 {
            return precisely ? "\(preciseTime(milliseconds)) \(zone)" : localTime(milliseconds)
        }
        return switch value.kind {
        case .string: ValueWords.both(Output.printable(value.string ?? ""), named: name)
        case .true: say("yes", "是")
        case .false: say("no", "否")
        case .array: value.elements.map { show($0, named: "") }.joined(separator: ", ")
        default: Output.printable(String(decoding: value.minified(), as: UTF8.self))
        }
    }

    private static func isTime(_ name: String) -> Bool { name.hasSuffix("_at") || name == "last_seen" }

    /// How far this machine's time is from UTC now: `+08:00`. Other times are told by the same, whatever season they are of.
    static var zone: String {
        let minutes = TimeZone.current.secondsFromGMT() / 60
        func digits(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
        return "\(minutes < 0 ? "-" : "+")\(digits(abs(minutes) / 60)):\(digits(abs(minutes) % 60))"
    }

    /// With its zone.
    static func localTime(_ milliseconds: Int64) -> String { "\(timeOfDay(milliseconds)) \(zone)" }

    /// The same as ``timeOfDay(_:)``, with milliseconds.
    static func preciseTime(_ milliseconds: Int64) -> String {
        let rest = String((milliseconds % 1_000 + 1_000) % 1_000)
        return "\(timeOfDay(milliseconds)).\(String(repeating: "0", count: 3 - rest.count))\(rest)"
    }

    /// Day and time in the zone of this machine, which is told elsewhere.
    static func timeOfDay(_ milliseconds: Int64) -> String {
        let style = Date.VerbatimFormatStyle(
            format: """
                \(year: .padded(4))-\(month: .twoDigits)-\(day: .twoDigits) \
                \(hour: .twoDigits(clock: .twentyFourHour, hourCycle: .zeroBased)):\(minute: .twoDigits):\(second: .twoDigits)
                """,
            timeZone: TimeZone(secondsFromGMT: TimeZone.current.secondsFromGMT()) ?? .current,
            calendar: Calendar(identifier: .gregorian))
        return Date(timeIntervalSince1970: Double(milliseconds) / 1000).formatted(style)
    }
}
