internal import JSON

/// The body of a call that sets the level of the log.
public enum LogLevelDecoder {
    private enum Field: String, FieldName {
        case level
    }

    /// Decodes a body.
    /// - Parameter levels: the names that there are.
    /// - Throws: 2101; 2103 for what is no object; 2104, 2102, 2103.
    public static func decode(_ body: [UInt8], levels: [String]) throws(Refusal) -> String {
        let fields = try RecordFields<Field>(try JSONDocument.object(parsing: body), requiring: .level)
        let level = try fields.value(.level, .oneOf(levels)) { value in value.string.flatMap { levels.contains($0) ? $0 : nil } }
        guard let level else { throw Refusal(.missingField, field: Field.level.rawValue, .missing([Field.level.rawValue])) }
        return level
    }
}
