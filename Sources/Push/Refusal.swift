/// Why a request was refused: certain, and nothing of it is stored.
public struct Refusal: Error, Hashable, Sendable {
    /// The row of the catalogue.
    public let code: ErrorCode
    /// The header or the field at fault, as a dotted path (`payload.body.title`), where there is one.
    public let field: String?
    /// What a person should know beyond the catalogue's text.
    public let hint: Hint?

    /// Details that the text of an error carries.
    public enum Hint: Hashable, Sendable {
        /// The token header held the secret itself.
        case rawSecret
        /// The server's clock, Unix milliseconds: the caller's differs too much.
        case serverTime(Int64)
    }

    /// A refusal with the field at fault and what else a person should know, where there is such.
    public init(_ code: ErrorCode, field: String? = nil, hint: Hint? = nil) {
        self.code = code
        self.field = field
        self.hint = hint
    }
}
