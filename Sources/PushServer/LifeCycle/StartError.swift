/// Why a server did not start, in one line.
public enum StartError: Error, Hashable, Sendable, CustomStringConvertible {
    /// A setting cannot work here, and would not at the next try either: exit code 2.
    case cannotWork(String)
    /// Anything else: exit code 1.
    case unexpected(String)

    /// For the operator.
    public var description: String {
        switch self {
        case .cannotWork(let reason), .unexpected(let reason): reason
        }
    }
}
