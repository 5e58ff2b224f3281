public import Crypto

/// A person who operates the server, as the store has it.
public struct Operator: Hashable, Sendable {
    /// By which it is known again: the name may be given to another one later.
    public let number: OperatorNumber
    /// Under which the person logs in.
    public let name: OperatorName
    /// For people.
    public var displayName: String
    /// What it may do, and where.
    public var authority: Authority
    /// Nobody logs in as a disabled one, and its sessions have ended.
    public var disabled: Bool
    /// What proves that it is the person.
    public var password: PasswordVerifier
    /// Unix milliseconds.
    public let createdAt: Int64
    /// The last log-in, in Unix milliseconds; `nil` before the first.
    public var lastLogin: Int64?

    /// An operator as it is stored.
    public init(
        number: OperatorNumber, name: OperatorName, displayName: String, authority: Authority, disabled: Bool,
        password: PasswordVerifier, createdAt: Int64, lastLogin: Int64?
    ) {
        self.number = number
        self.name = name
        self.displayName = displayName
        self.authority = authority
        self.disabled = disabled
        self.password = password
        self.createdAt = createdAt
        self.lastLogin = lastLogin
    }

    /// As its calls name it.
    public var identity: OperatorIdentity { OperatorIdentity(number, name) }

    /// How long a password may be, in bytes of UTF-8.
    public static let passwordBytes = 12...1_024
    /// How many operators there are at most: each loop of operators' calls holds all of them.
    public static let most = 1_000
    /// The sessions that one operator has at a time: one more ends the oldest.
    public static let mostSessions = 32
}
