/// What a value of a request must be.
public enum Requirement: Hashable, Sendable {
    /// One of these words.
    case oneOf([String])
    /// A list of these words.
    case listOf([String])
    /// The name of an app, an organisation, a device or a user: see ``Identifier``.
    case identifier
    /// An address of IPv4 or IPv6.
    case address
    /// What one of several processes is called: see ``NodeName``.
    case node
    /// An integer.
    case number(ClosedRange<Int64>)
    /// A string of so many bytes of UTF-8.
    case text(bytes: ClosedRange<Int>)
    /// Any string.
    case string
    /// Any string but the empty one.
    case nonEmptyString
    /// An object of JSON.
    case object
    /// `true` or `false`.
    case boolean
    /// Printable ASCII, at least one character: a secret.
    case printable
    /// The SHA-256 of a certificate, in hexadecimal digits.
    case fingerprint
    /// A list of addresses or ranges of them.
    case addresses(most: Int)
    /// This, or `null`.
    indirect case orNull(Requirement)
    /// A point of time: Unix seconds or milliseconds, or RFC 3339 with an offset.
    case time
    /// A time after `after`, up to and including `through` where there is such a bound; Unix milliseconds.
    case timeBetween(after: Int64, through: Int64?)
    /// Given once.
    case once
    /// Only one of these fields.
    case onlyOneOf([String])
    /// Given at one of its two places, in the payload or at the top.
    case onePlace
    /// Absent: a field that does not go with a value of another one.
    case absent(with: String, String)
    /// Absent.
    case nothing
    /// What it has always been.
    case unchanged(String)
    /// An organisation that is not the same one and not below it.
    case noCycle
    /// An organisation below which the tree is at most so deep.
    case depth(Int)
    /// `data.next` of the page before.
    case pageToken
    /// Decodable percent-encoding.
    case percentEncoding
    /// A time that leaves at most so many tasks.
    case fewerTasks(Int)
    /// A rule of HTTP about how a request is written.
    case framing(FramingRule)

    /// What is asked of a request so that nobody can be in doubt about it.
    public enum FramingRule: Hashable, Sendable, CaseIterable {
        /// Content-Length once at most.
        case oneLength
        /// Content-Length in digits.
        case lengthInDigits
        /// Either Content-Length or Transfer-Encoding.
        case lengthOrChunks
        /// No Transfer-Encoding but one `chunked`, and that in HTTP/1.1.
        case onlyChunked
        /// Chunks as HTTP has them.
        case chunks
        /// No body with this method.
        case noBody
        /// Header lines as HTTP has them.
        case headerLines
        /// A first line as HTTP has it.
        case requestLine
        /// No TLS: the port speaks none.
        case plainHTTP
        /// A version that there is.
        case version
        /// One Host.
        case host
        /// No Expect but `100-continue`.
        case expectation
    }
}
