internal import Base
internal import JSON

/// The fields of a record that an operator sends, and what kinds of values they have. A value that its kind does not allow is
/// 2103.
struct RecordFields<Name: FieldName> {
    private let fields: ObjectFields<Name>

    /// - Throws: 2104; 2102 where `required` is absent; 2103 for a field that is given twice.
    init(_ object: JSONValue, excluding excluded: [Name] = [], requiring required: Name? = nil) throws(Refusal) {
        var faults = FieldFaults()
        fields = ObjectFields(object, excluding: excluded, faults: &faults)
        try faults.refuseUnsupported()
        if let required, fields[required] == nil {
            throw Refusal(.missingField, field: required.rawValue, .missing([required.rawValue]))
        }
        try faults.refuseRepeated()
    }

    /// A field of any kind; `nil` where it is absent. `read` answers `nil` to a value that is not allowed.
    /// - Parameters:
    ///   - requirement: what is allowed.
    ///   - isSecret: the value is not repeated to anybody.
    func value<Value>(
        _ name: Name, _ requirement: @autoclosure () -> Requirement, isSecret: Bool = false, _ read: (JSONValue) -> Value?
    ) throws(Refusal) -> Value? {
        guard let value = fields[name] else { return nil }
        guard let read = read(value) else {
            throw Refusal(.invalidValue, field: name.rawValue, .expected(requirement(), isSecret ? nil : Excerpt(value)))
        }
        return read
    }

    func text(_ name: Name) throws(Refusal) -> String? {
        try value(name, .string) { $0.string }
    }

    /// A switch; `null` puts it back to false.
    func flag(_ name: Name) throws(Refusal) -> Bool? {
        try value(name, .orNull(.boolean)) { $0.isNull ? false : $0.bool }
    }

    /// Printable ASCII, at least one character.
    func secret(_ name: Name) throws(Refusal) -> String? {
        try value(name, .printable, isSecret: true) { value in
            value.string.flatMap { secret in
                !secret.isEmpty && secret.utf8.allSatisfy { (0x20...0x7E).contains($0) } ? secret : nil
            }
        }
    }

    func fingerprint(_ name: Name) throws(Refusal) -> Patch<CertificateFingerprint> {
        let patch: Patch<CertificateFingerprint>? = try value(name, .orNull(.fingerprint)) {
            $0.isNull ? .clear : $0.string.flatMap { CertificateFingerprint($0) }.map(Patch.set)
        }
        return patch ?? .keep
    }

    func count(_ name: Name, in range: ClosedRange<Int>) throws(Refusal) -> Patch<Int> {
        let requirement = Requirement.number(Int64(range.lowerBound)...Int64(range.upperBound))
        let patch: Patch<Int>? = try value(name, .orNull(requirement)) { value in
            if value.isNull { return .clear }
            // A whole number is one, however it is written: JSON knows no other kind.
            guard let count = value.double.flatMap({ Int(exactly: $0) }), range.contains(count) else { return nil }
            return .set(count)
        }
        return patch ?? .keep
    }

    /// At most ``App/mostAddresses`` addresses or ranges.
    func addresses(_ name: Name) throws(Refusal) -> Patch<[AddressRange]> {
        let patch: Patch<[AddressRange]>? = try value(name, .orNull(.addresses(most: App.mostAddresses))) { value in
            if value.isNull { return .clear }
            guard value.kind == .array else { return nil }
            let ranges = value.elements.map { $0.string.flatMap { AddressRange($0) } }
            guard ranges.count <= App.mostAddresses, !ranges.contains(nil) else { return nil }
            return .set(ranges.compactMap(\.self))
        }
        return patch ?? .keep
    }

    func interfaces(_ name: Name) throws(Refusal) -> Set<Interface>? {
        try value(name, .listOf(Interface.allCases.map(\.rawValue))) { value in
            guard value.kind == .array else { return nil }
            let interfaces = value.elements.map { $0.string.flatMap(Interface.init) }
            return interfaces.contains(nil) ? nil : Set(interfaces.compactMap(\.self))
        }
    }

    func identifier<ID: Identifier>(_ name: Name) throws(Refusal) -> ID {
        let identifier = try value(name, .identifier) { $0.string.flatMap { ID($0) } }
        guard let identifier else { throw Refusal(.missingField, field: name.rawValue, .missing([name.rawValue])) }
        return identifier
    }

    func clearableIdentifier<ID: Identifier>(_ name: Name) throws(Refusal) -> Patch<ID> {
        let patch: Patch<ID>? = try value(name, .orNull(.identifier)) {
            $0.isNull ? .clear : $0.string.flatMap { ID($0) }.map(Patch.set)
        }
        return patch ?? .keep
    }
}
