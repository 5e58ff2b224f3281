/// The name under which an operator logs in.
public struct OperatorName: Identifier {
    /// The name as it was given.
    public let text: String
    /// Takes a name that is known to be valid.
    public init(unchecked text: String) { self.text = text }
}
