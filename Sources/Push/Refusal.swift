public import Base

/// Why a request was refused: certain, and nothing of it is stored.
public struct Refusal: Error, Sendable {
    /// The row of the catalogue.
    public let code: ErrorCode
    /// The header or the field at fault, as a dotted path (`payload.body.title`), where there is one.
    public let field: String?
    /// What would be right instead, for the person who reads it.
    public let detail: Detail?

    /// A refusal with the field at fault and what would be right, where there is such.
    public init(_ code: ErrorCode, field: String? = nil, _ detail: Detail? = nil) {
        self.code = code
        self.field = field
        self.detail = detail
    }
}

/// Two refusals are the same where a program sees no difference. What they say to a person may differ.
extension Refusal: Hashable {
    /// The same row of the catalogue, about the same field.
    public static func == (one: Refusal, other: Refusal) -> Bool { one.code == other.code && one.field == other.field }

    /// Row and field.
    public func hash(into hasher: inout Hasher) {
        hasher.combine(code)
        hasher.combine(field)
    }
}

extension Refusal {
    /// What a person should know beyond the catalogue's text: as values, which ``Refusal/message(in:)`` words. In a box of its
    /// own, so that what carries a refusal, and nearly never does, is no larger for it.
    public indirect enum Detail: Hashable, Sendable {
        /// 2103, 2004, 2005: what the value must be, and what came, unless it must not be told.
        case expected(Requirement, Excerpt? = nil)
        /// 2101: what is wrong with the text, and where.
        case malformedJSON(JSONFault, TextPosition)
        /// 2102: the paths of all that is missing. Alternatives are separated by slashes.
        case missing([String])
        /// 2104: the names that are listed at that place.
        case listed([String])
        /// 2105: the payload's size and the limit that it breaks, in bytes.
        case size(Int, limit: Int, Platform)
        /// 2106: how large that part of a request may be, in bytes, and how large it is, where that is known.
        case limit(Int, RequestPart, came: Int? = nil)
        /// 2006, with the server's clock in Unix milliseconds.
        case timestamp(TimestampFault, serverTime: Int64)
        /// 2108: the methods that the address takes.
        case methods([String])
        /// 2207: the app whose scope it is.
        case scopeOf(AppKey)
        /// 2207: the operator whose scope it is.
        case scopeOfOperator(OperatorName)
        /// 2207: how many devices it has of its own, and how many organisations below.
        case holding(devices: Int, children: Int)
        /// 2005: a signature of other parts.
        case wrongSignature
        /// 2005: the token header held the secret itself.
        case rawSecret
        /// 2005: what is wrong with the signature of a whole request.
        case signature(SignatureFault)
        /// 2005: the operators' token is missing or wrong.
        case operatorToken
        /// 2005: an operator's name or password is wrong.
        case operatorPassword
        /// 2011: the role that it takes.
        case role(Role)
        /// 2011: it is for operators without a scope.
        case unscoped
        /// 2011: an operator's own scope is moved or removed by those above only.
        case ownScope
        /// 2011: the installation's token has no session.
        case noSession
        /// 2301: too many log-ins have failed from that address; after how long the next is judged.
        case failedLogins(retryAfter: Duration)
        /// 2301: which bound the app is over, and in how many milliseconds it may push again.
        case overQuota(PushQuota.Bound, retryAfter: Int64)
        /// 2302: the server is about to end.
        case ending
        /// 2103: so many operators there are already.
        case tooManyOperators(Int)
        /// 2301: so many traces run.
        case tooManyTraces(Int)
        /// 2301: so many lists of the app wait to be read.
        case tooManyLists(Int)
        /// 2010: from where the request came, if that is known.
        case calledFrom(IPAddress?)
    }

    /// What is wrong with a signature of a whole request.
    public enum SignatureFault: Hashable, Sendable, CaseIterable {
        /// The app takes no token.
        case required
        /// The header is not as it must be.
        case malformed
        /// More than one was sent.
        case repeated
        /// A change without a nonce.
        case noNonce
        /// It is that of another request, or made with another secret.
        case wrong
        /// The body is not the one that was signed.
        case otherBody
        /// The nonce was used before.
        case replayed
    }

    /// What is wrong with a timestamp.
    public enum TimestampFault: Hashable, Sendable {
        /// Neither 10 nor 13 digits.
        case malformed(Excerpt)
        /// More than one was sent.
        case repeated
        /// So old that it is not known any more whether the request is a repeat: the server's clock has gone back.
        case forgotten
        /// Ahead of the server's clock by so many milliseconds, or behind where it is negative; at most `window` is allowed.
        case skewed(by: Int64, window: Int64)
    }

    /// A part of a request that has a limit.
    public enum RequestPart: Hashable, Sendable {
        /// The body.
        case body
        /// The request line and the headers.
        case head
        /// A line of an import.
        case line
    }

    /// What is wrong with a text that is no JSON.
    public enum JSONFault: Hashable, Sendable, CaseIterable {
        /// Nothing but white space.
        case empty
        /// Larger than anybody parses.
        case tooLarge
        /// Bytes that are not UTF-8.
        case notUTF8
        /// A string that does not end.
        case unclosedString
        /// A control character that stands unescaped in a string.
        case controlCharacter
        /// A token where the grammar has another, or the text ends too early.
        case syntax
        /// A number that the grammar does not know.
        case number
        /// A backslash that begins no escape.
        case escape
        /// An escape that names half of a surrogate pair.
        case loneSurrogate
    }

    /// A place in a text, as an editor shows it.
    public struct TextPosition: Hashable, Sendable {
        /// From 1.
        public let line: Int
        /// In characters of the line, from 1.
        public let column: Int
        /// In bytes of the text, from 1.
        public let byte: Int

        /// The place of a byte, counted from 0; what stands before it need not be UTF-8.
        init(of offset: Int, in text: [UInt8]) {
            let before = text.prefix(offset)
            let lineStart = before.lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? 0
            line = 1 + before.count { $0 == UInt8(ascii: "\n") }
            column = 1 + String(decoding: before[lineStart...], as: UTF8.self).unicodeScalars.count
            byte = 1 + before.count
        }
    }
}
