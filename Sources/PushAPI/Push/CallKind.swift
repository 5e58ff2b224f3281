public import Push

/// What callers' requests are counted by: the two interfaces, and everything else.
public enum CallKind: Int, Sendable, CaseIterable {
    /// Questions, cancelling, probes, and what no route takes.
    case other
    /// `POST /psp/push/msg`
    case message
    /// `POST /psp/push/config`
    case configuration

    /// A push by that interface.
    public init(_ interface: Interface) {
        switch interface {
        case .message: self = .message
        case .configuration: self = .configuration
        }
    }

    /// As figures name it.
    public var name: String {
        switch self {
        case .other: "other"
        case .message: Interface.message.rawValue
        case .configuration: Interface.configuration.rawValue
        }
    }
}
