public import Push

/// Why a server did not start, in one line.
public enum StartError: Error, Hashable, Sendable, CustomStringConvertible {
    /// A setting cannot work here, and would not at the next try either: exit code 2.
    case cannotWork(BilingualText)
    /// Anything else: exit code 1.
    case unexpected(BilingualText)

    /// For the operator.
    public var text: BilingualText {
        switch self {
        case .cannotWork(let reason), .unexpected(let reason): reason
        }
    }

    /// The same in English.
    public var description: String { text.english }
}
