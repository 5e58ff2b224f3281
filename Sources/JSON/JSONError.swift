/// Why a text is not one JSON value (RFC 8259). `offset` is the byte at fault, counted from 0.
public enum JSONError: Error, Hashable, Sendable {
    /// Nothing but white space.
    case empty
    /// 4 GiB or more.
    case tooLarge
    /// Not UTF-8 (RFC 8259 §8.1); a byte order mark at the start is reported as `syntax`.
    case invalidUTF8(offset: Int)
    /// A string that does not end; where it begins.
    case unclosedString(offset: Int)
    /// A control character that stands unescaped in a string (RFC 8259 §7).
    case controlCharacter(offset: Int)
    /// A token where the grammar has another, or the text ends too early.
    case syntax(offset: Int)
    /// A number that the grammar does not know: `01`, `1.`, `.5`, `+1` (RFC 8259 §6).
    case invalidNumber(offset: Int)
    /// A backslash that begins none of the escapes of RFC 8259 §7.
    case invalidEscape(offset: Int)
    /// An escape that names half of a surrogate pair: such a text has no meaning in UTF-8 (RFC 8259 §8.2).
    case loneSurrogate(offset: Int)
    /// The library could not work: out of memory, or a fault of its own.
    case internalFailure
}
