/// The languages that people are spoken to in.
public enum Language: Hashable, Sendable {
    case chinese
    case english

    /// The language for a caller: Chinese, unless `Accept-Language` (RFC 9110 §12.5.4) gives English the greater weight, or names
    /// it first at equal weight. A range that cannot be read counts for nothing.
    public init(acceptLanguage header: String?) {
        var chinese: Preference?, english: Preference?, others: Preference?
        for (position, range) in (header ?? "").split(separator: ",").enumerated() {
            guard let (tag, quality) = Language.parse(range) else { continue }
            let preference = Preference(quality: quality, position: position)
            switch tag {
            case "zh": chinese = max(chinese ?? preference, preference)
            case "en": english = max(english ?? preference, preference)
            case "*": others = preference
            default: continue
            }
        }
        let wanted = english ?? others ?? .none
        self = wanted.quality > 0 && wanted > chinese ?? others ?? .none ? .english : .chinese
    }

    /// The language of a program: Chinese where the locale for messages is Chinese (`LC_ALL` before `LC_MESSAGES` before `LANG`,
    /// POSIX, "Environment Variables" 8.2), else English. An empty variable is as if it were not set.
    /// - Parameter variable: an environment variable's value by its name.
    public init(environment variable: (String) -> String?) {
        let locale = ["LC_ALL", "LC_MESSAGES", "LANG"].lazy.compactMap(variable).first { !$0.isEmpty }
        self = locale?.lowercased().hasPrefix("zh") == true ? .chinese : .english
    }

    /// How much a language is wanted: by weight, and by its place in the header where weights are equal.
    private struct Preference: Comparable {
        static let none = Preference(quality: 0, position: .max)
        let quality: Double
        let position: Int

        static func < (one: Preference, other: Preference) -> Bool {
            (one.quality, -one.position) < (other.quality, -other.position)
        }
    }

    /// The primary tag of a range, lower case, and its weight.
    private static func parse(_ range: Substring) -> (tag: String, quality: Double)? {
        let parts = range.split(separator: ";").map { $0.filter { $0 != " " && $0 != "\t" }.lowercased() }
        guard let tag = parts.first?.split(separator: "-").first else { return nil }
        guard parts.count > 1 else { return (String(tag), 1) }
        guard parts[1].hasPrefix("q="), let quality = Double(parts[1].dropFirst(2)), (0...1).contains(quality) else { return nil }
        return (String(tag), quality)
    }
}
