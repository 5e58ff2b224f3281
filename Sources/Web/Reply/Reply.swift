/// What goes back to a peer, all at once. For what goes on, see ``EventStream``.
public struct Reply: Sendable {
    /// The status code.
    public var status: Int
    /// What the body is.
    public var contentType: ContentType
    /// The body. A `HEAD` is told its length only.
    public var body: [UInt8]
    /// Beyond Content-Type, which every reply has, and what libevent adds (Content-Length, Date).
    public var headers: [(name: String, value: String)] = []
    /// What the log tells of it, if anything.
    public var note: ReplyNote?
    /// The connection ends with this reply: what follows on it cannot be trusted to be a request.
    public var closes = false

    /// A reply without headers of its own.
    public init(status: Int, contentType: ContentType, body: [UInt8]) {
        self.status = status
        self.contentType = contentType
        self.body = body
    }
}

/// What a reply's body is. One is made once and used for many replies: its header needs no room of its own in each.
public struct ContentType: Sendable {
    let headers: [(String, String)]

    /// A type of one's own, with its charset where it is text.
    public init(_ value: String) { self.init(headers: [("Content-Type", value)]) }

    private init(headers: [(String, String)]) { self.headers = headers }

    /// That of a reply without a body.
    public static let none = ContentType(headers: [])
    /// `application/json`, in UTF-8.
    public static let json = ContentType("application/json; charset=utf-8")
    /// `text/plain`, in UTF-8.
    public static let text = ContentType("text/plain; charset=utf-8")
    /// `text/html`, in UTF-8.
    public static let html = ContentType("text/html; charset=utf-8")
}

/// What the log tells of a reply. Limited, whoever causes it; no secret is in it.
public enum ReplyNote: Sendable {
    /// The request was the caller's mistake: the number of it, and who the caller says it is.
    case refusal(code: Int, caller: String?)
    /// The failure is not the caller's fault.
    case incident(Incident)

    /// The number by which the front's callers know it.
    public var code: Int {
        switch self {
        case .refusal(let code, _): code
        case .incident(let incident): incident.code
        }
    }
}

/// A failure that is not the caller's fault. The log tells of it, at most once a second. No secret is in it.
public struct Incident: Sendable {
    /// The number by which the front's callers know it.
    public var code: Int
    /// Why.
    public var cause: String
    /// Whether it heals by itself.
    public var isTransient: Bool

    /// An incident that the log will tell of.
    public init(code: Int, cause: String, isTransient: Bool) {
        self.code = code
        self.cause = cause
        self.isTransient = isTransient
    }
}
