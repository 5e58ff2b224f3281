import JSON

/// The members of one object, a line each.
enum Details {
    /// - Parameter hidden: members that are shown elsewhere.
    static func lines(of object: JSONValue, hiding hidden: Set<String> = []) -> [String] {
        let members = object.members.filter { !hidden.contains($0.key) }
        let width = members.reduce(0) { max($0, Table.width($1.key)) }
        return members.map { key, value in
            Output.printable(key) + String(repeating: " ", count: width - Table.width(key) + 2) + Column.show(value, named: key)
        }
    }
}
