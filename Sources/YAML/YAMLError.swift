/// Why a document is not what was asked for.
public struct YAMLError: Error, Hashable, Sendable {
    /// From 1.
    public let line: Int
    /// What is wrong there.
    public let problem: YAMLProblem

    /// A fault at that line.
    public init(line: Int, problem: YAMLProblem) {
        self.line = line
        self.problem = problem
    }
}

/// What is wrong with a document.
public enum YAMLProblem: Hashable, Sendable, CustomStringConvertible {
    /// A name stands there for the second time.
    case repeated(String)
    /// The value of that name is a list, a mapping or an alias.
    case richValue(of: String)
    /// A name is more than plain text.
    case richName
    /// It is no mapping.
    case noMapping
    /// There is more than one document.
    case secondDocument
    /// It is no YAML, in libyaml's own words.
    case syntax(String)

    /// For people, without a line break.
    public var description: String {
        switch self {
        case .repeated(let name): "\(name) is given twice"
        case .richValue(let name): "\(name) must have one plain value"
        case .richName: "a name must be plain text"
        case .noMapping: "expected `name: value`"
        case .secondDocument: "a second document"
        case .syntax(let reason): reason
        }
    }
}
