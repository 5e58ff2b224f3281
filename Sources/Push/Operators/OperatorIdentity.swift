/// Which operator, whatever its name. A store gives each number once: a name may be given to another person, who has no part in
/// what the former one began.
public struct OperatorNumber: Hashable, Sendable {
    /// From 1.
    public let value: Int64
    /// A number that the store has given.
    public init(_ value: Int64) { self.value = value }
    /// Nobody's: of entries of which nobody knows any more who it was.
    public static let unknown = OperatorNumber(0)
}

/// An operator as its calls name it: by the number for the store, and by the name for people.
public struct OperatorIdentity: Hashable, Sendable {
    /// By which it is known again.
    public let number: OperatorNumber
    /// Under which it had logged in.
    public let name: OperatorName

    /// A number with the name that belongs to it.
    public init(_ number: OperatorNumber, _ name: OperatorName) {
        self.number = number
        self.name = name
    }
}
