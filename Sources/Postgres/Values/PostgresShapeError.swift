/// A result has another shape than the program expects: it and its SQL do not fit together.
public enum PostgresShapeError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The column is of another type.
    case type(expected: PostgresType, found: PostgresType)
    /// There is no such row or column.
    case absent
    /// A null where none was expected.
    case null
    /// The bytes are no value of that type, or an array of several dimensions.
    case malformed(PostgresType)
    /// An array has no more elements.
    case end

    /// One line for a log.
    public var description: String {
        switch self {
        case .type(let expected, let found): "\(found) instead of \(expected)"
        case .absent: "no such row or column"
        case .null: "an unexpected null"
        case .malformed(let type): "no \(type) of the expected form"
        case .end: "an array is too short"
        }
    }
}
