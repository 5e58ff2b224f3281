internal import JSON

/// The names that the interface lists for one object: each kind of object has an enum of them.
protocol FieldName: Hashable, RawRepresentable<String> {}

/// What is wrong with the fields of a request's objects, whatever their values. Each keeps the first that was met.
struct FieldFaults {
    /// The path of a field that the interface does not list (2104).
    private(set) var unsupported: String?
    /// The path of a field that is given twice (2103).
    private(set) var repeated: String?

    mutating func noteUnsupported(_ path: String) { unsupported = unsupported ?? path }
    mutating func noteRepeated(_ path: String) { repeated = repeated ?? path }

    func refuseUnsupported() throws(Refusal) {
        if let unsupported { throw Refusal(.unsupportedField, field: unsupported) }
    }

    func refuseRepeated() throws(Refusal) {
        if let repeated { throw Refusal(.invalidValue, field: repeated) }
    }
}

/// The members of one object of a request, found by their listed names. Keys are compared as they are meant, not as they are escaped.
struct ObjectFields<Name: FieldName> {
    /// A field's path is answered to the caller, so what of it the caller chose is cut.
    private static var longestName: Int { 128 }

    private var values: [(name: Name, value: JSONValue)] = []

    /// - Parameters:
    ///   - object: what is no object has no fields.
    ///   - path: of the object, with its dot: `payload.body.`.
    ///   - excluded: names that this object does not have after all.
    init(_ object: JSONValue?, path: String = "", excluding excluded: [Name] = [], faults: inout FieldFaults) {
        guard let object, object.kind == .object else { return }
        values.reserveCapacity(object.count)
        for (key, value) in object.members {
            guard let name = Name(rawValue: key), !excluded.contains(name) else {
                faults.noteUnsupported(path + key.prefix(Self.longestName))
                continue
            }
            if contains(name) { faults.noteRepeated(path + key) }
            values.append((name, value))
        }
    }

    /// The field's first value; `nil` where the field is absent, not where it is `null`.
    subscript(name: Name) -> JSONValue? {
        // By index: `first(where:)` would copy each element it passes, and count its references.
        for index in values.indices where values[index].name == name { return values[index].value }
        return nil
    }

    /// Whether the field is there, be it `null`.
    func contains(_ name: Name) -> Bool {
        values.indices.contains { values[$0].name == name }
    }

    /// The values that the field has beyond its first: none in a request without fault.
    func repeated(_ name: Name) -> [JSONValue] {
        values.filter { $0.name == name }.dropFirst().map(\.value)
    }
}
