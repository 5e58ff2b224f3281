internal import JSON

/// The names that the interface lists for one object: each kind of object has an enum of them.
protocol FieldName: Hashable, CaseIterable, RawRepresentable<String> where AllCases == [Self] {}

/// What is wrong with the fields of a request's objects, whatever their values. Each keeps the first that was met.
struct FieldFaults {
    /// The path of a field that the interface does not list (2104), and what it lists there.
    private(set) var unsupported: (path: String, listed: [String])?
    /// The path of a field that is given twice (2103).
    private(set) var repeated: String?

    mutating func noteUnsupported(_ path: @autoclosure () -> String, listed: @autoclosure () -> [String]) {
        if unsupported == nil { unsupported = (path(), listed()) }
    }
    mutating func noteRepeated(_ path: String) { repeated = repeated ?? path }

    func refuseUnsupported() throws(Refusal) {
        if let unsupported { throw Refusal(.unsupportedField, field: unsupported.path, .listed(unsupported.listed)) }
    }

    func refuseRepeated() throws(Refusal) {
        if let repeated { throw Refusal(.invalidValue, field: repeated, .expected(.once)) }
    }
}

/// The members of one object of a request, found by their listed names. Keys are compared as they are meant, not as they are
/// escaped.
struct ObjectFields<Name: FieldName> {
    /// A field's path is answered to the caller, so what of it the caller chose is cut, in bytes.
    private static var longestName: Int { 128 }

    private var object: JSONValue?
    /// Where the first value of each name is; 0 where there is none, since no member stands at the beginning.
    private var places = SIMD16<UInt32>()
    /// What is given more than once.
    private var others: [(name: Name, place: Int)] = []

    /// - Parameters:
    ///   - object: what is no object has no fields.
    ///   - path: of the object, with its dot: `payload.body.`.
    ///   - excluded: names that this object does not have after all.
    init(_ object: JSONValue?, path: String = "", excluding excluded: [Name] = [], faults: inout FieldFaults) {
        guard let object, object.kind == .object else { return }
        self.object = object
        object.forEachMember { key, place in
            guard let name = Self.name(key), !excluded.contains(name) else {
                faults.noteUnsupported(
                    path + String(Excerpt.prefix(of: String(decoding: key, as: UTF8.self), bytes: Self.longestName)),
                    listed: Name.allCases.compactMap { excluded.contains($0) ? nil : $0.rawValue })
                return
            }
            if contains(name) {
                faults.noteRepeated(path + name.rawValue)
                others.append((name, place))
            } else {
                places[slot(name)] = UInt32(place)
            }
        }
    }

    /// Compares lengths first: no string is made of the key.
    private static func name(_ key: UnsafeRawBufferPointer) -> Name? {
        for name in Name.allCases {
            var text = name.rawValue
            guard text.utf8.count == key.count else { continue }
            if text.withUTF8({ isSame(key, UnsafeRawBufferPointer($0)) }) { return name }
        }
        return nil
    }

    /// Of the same length. (`elementsEqual` costs ten times as much: it asks both sides for each byte.)
    private static func isSame(_ one: UnsafeRawBufferPointer, _ other: UnsafeRawBufferPointer) -> Bool {
        for index in one.indices where one[index] != other[index] { return false }
        return true
    }

    /// A number for each name. An enum of fewer than 256 cases is one byte, another for each case; one of a single case is none.
    private func slot(_ name: Name) -> Int { withUnsafeBytes(of: name) { $0.isEmpty ? 0 : Int($0[0]) } }

    /// The field's first value; `nil` where the field is absent, not where it is `null`.
    subscript(name: Name) -> JSONValue? { contains(name) ? object?.value(at: Int(places[slot(name)])) : nil }

    /// Whether the field is there, be it `null`.
    func contains(_ name: Name) -> Bool { places[slot(name)] != 0 }

    /// The values that the field has beyond its first: none in a request without fault.
    func repeated(_ name: Name) -> [JSONValue] {
        others.compactMap { $0.name == name ? object?.value(at: $0.place) : nil }
    }
}
