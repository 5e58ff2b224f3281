/// What an operator may do. Each may do what those before it may.
public enum Role: Int, Hashable, Sendable, CaseIterable, Comparable {
    /// Looks at everything in its scope.
    case viewer
    /// Recalls tasks and disconnects devices.
    case sender
    /// Changes everything in its scope.
    case administrator

    /// As the interface has it.
    public var name: String {
        switch self {
        case .viewer: "viewer"
        case .sender: "sender"
        case .administrator: "administrator"
        }
    }

    /// `nil` for what is no role's name.
    public init?(name: String) {
        guard let role = Role.allCases.first(where: { $0.name == name }) else { return nil }
        self = role
    }

    /// Whether the first may do less.
    public static func < (one: Role, other: Role) -> Bool { one.rawValue < other.rawValue }
}
