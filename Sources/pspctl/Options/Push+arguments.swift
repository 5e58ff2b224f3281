public import ArgumentParser
public import Push

// The words of the interface, as arguments: a wrong one is wrong usage, and help lists the right ones.

extension Platform: ExpressibleByArgument {}
extension Interface: ExpressibleByArgument {}
extension RecipientState: ExpressibleByArgument {}
extension Role: ExpressibleByArgument {
    /// By its name.
    public init?(argument: String) { self.init(name: argument) }
    /// The names that there are.
    public static var allValueStrings: [String] { allCases.map(\.name) }
}
