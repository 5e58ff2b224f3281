/// Which query parameters a route knows. A class, for the reason that ``Route`` is one.
final class QueryRule: Sendable {
    /// Missing ones are 2102.
    let required: [String]
    let optional: [String]

    init(required: [String] = [], optional: [String] = []) {
        self.required = required
        self.optional = optional
    }

    /// No parameter at all.
    static let none = QueryRule()

    /// What every list takes beside its own parameters.
    static func list(required: [String] = [], _ filters: String...) -> QueryRule {
        QueryRule(required: required, optional: filters + ["after", "limit"])
    }

    func knows(_ name: String) -> Bool { required.contains(name) || optional.contains(name) }
}
