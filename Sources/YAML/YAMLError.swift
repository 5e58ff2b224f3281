/// Why a document is not what was asked for.
public struct YAMLError: Error, Hashable, Sendable {
    /// From 1.
    public let line: Int
    /// For people, without a line break.
    public let problem: String

    /// A fault at that line.
    public init(line: Int, problem: String) {
        self.line = line
        self.problem = problem
    }
}
