import JSON

/// The members of one object, a line each. Their names are the interface's.
enum Details {
    /// - Parameters:
    ///   - hidden: members that are shown elsewhere.
    ///   - precisely: times with milliseconds.
    static func lines(of object: JSONValue, hiding hidden: Set<String> = [], precisely: Bool = false) -> [String] {
        let width = width(of: object, hiding: hidden)
        return object.members.filter { !hidden.contains($0.key) }.map { key, value in
            line(Output.printable(key), Column.show(value, named: key, precisely: precisely), width)
        }
    }

    /// A line that stands among those of an object, and is no member of it.
    static func line(_ name: String, _ text: String, in object: JSONValue, hiding hidden: Set<String> = []) -> String {
        line(name, text, width(of: object, hiding: hidden))
    }

    private static func line(_ name: String, _ text: String, _ width: Int) -> String {
        name + String(repeating: " ", count: max(0, width - Terminal.width(of: name)) + 2) + text
    }

    private static func width(of object: JSONValue, hiding hidden: Set<String>) -> Int {
        object.members.reduce(0) { hidden.contains($1.key) ? $0 : max($0, Terminal.width(of: $1.key)) }
    }
}
