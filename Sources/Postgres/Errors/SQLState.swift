/// The five characters by which PostgreSQL says what kind of error it is (PostgreSQL documentation, appendix A).
public struct SQLState: Hashable, Sendable, CustomStringConvertible, ExpressibleByStringLiteral {
    /// Five digits and capital letters.
    public let description: String

    /// Any text.
    public init(_ text: String) { description = text }

    /// A code of the program's own.
    public init(stringLiteral text: String) { description = text }

    /// The first two characters.
    public var `class`: Substring { description.prefix(2) }

    /// An administrator has ended the session, or the server shuts down.
    public static let adminShutdown: SQLState = "57P01"
    /// The statement was cancelled before it had an effect.
    public static let queryCanceled: SQLState = "57014"
    /// Two transactions cannot both have happened; it may be tried again.
    public static let serializationFailure: SQLState = "40001"
    /// Two transactions waited for each other; it may be tried again.
    public static let deadlockDetected: SQLState = "40P01"
    /// A write on a server that only reads: a standby, or one that was demoted.
    public static let readOnlyTransaction: SQLState = "25006"
    /// There is no schema of that name.
    public static let undefinedSchema: SQLState = "3F000"
    /// There is no function of that name with such arguments.
    public static let undefinedFunction: SQLState = "42883"
    /// A row with this key exists.
    public static let uniqueViolation: SQLState = "23505"
    /// A warning without a code of its own.
    public static let warning: SQLState = "01000"

    /// The server, the database or the role has as many sessions as it may have.
    public static let tooManyConnections: SQLState = "53300"
    /// The password is wrong.
    public static let invalidPassword: SQLState = "28P01"
    /// There is no database of that name.
    public static let undefinedDatabase: SQLState = "3D000"

    /// Nobody of that name may come in from there (class 28).
    public var isOfAuthorization: Bool { self.class == "28" }

    /// The connection was refused or broken (class 08), or the server ends it (57P01 to 57P04).
    public var isOfConnection: Bool { self.class == "08" || ["57P01", "57P02", "57P03", "57P04"].contains(description) }

    /// The server has no memory, disk or connections left (class 53): the same may succeed later.
    public var isOfResources: Bool { self.class == "53" }

    /// The system or a disk has failed below the server (class 58), or what it holds is damaged (XX001, XX002).
    public var isOfStorage: Bool { self.class == "58" || ["XX001", "XX002"].contains(description) }

    /// The role may not use, or there is not, what a statement names (class 42, 3F), or the server is not in a state for it (0A,
    /// 55): no value in the statement makes a difference.
    public var isOfSchema: Bool { ["42", "3F", "0A", "55"].contains(self.class) }

    /// The same statement may succeed at once.
    public var isOfConcurrency: Bool { self == .serializationFailure || self == .deadlockDetected }
}
