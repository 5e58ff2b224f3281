internal import CLibevent

/// A request's method. evhttp does not tell the name of one that it does not know.
public enum HTTPMethod: String, Hashable, Sendable {
    case get = "GET"
    case head = "HEAD"
    case post = "POST"
    case put = "PUT"
    case delete = "DELETE"
    case options = "OPTIONS"
    case trace = "TRACE"
    case connect = "CONNECT"
    case patch = "PATCH"
    /// Any other.
    case other = ""

    /// Whether a body has a meaning with it (RFC 9110 §9.3).
    public var takesBody: Bool { self == .post || self == .put || self == .patch }

    /// Its name as a request line and `Allow` spell it; empty for any other.
    public var name: String { rawValue }

    init(name: String) { self = HTTPMethod(rawValue: name) ?? .other }

    private static let commands: [(HTTPMethod, evhttp_cmd_type)] = [
        (.get, EVHTTP_REQ_GET), (.head, EVHTTP_REQ_HEAD), (.post, EVHTTP_REQ_POST), (.put, EVHTTP_REQ_PUT),
        (.delete, EVHTTP_REQ_DELETE), (.options, EVHTTP_REQ_OPTIONS), (.trace, EVHTTP_REQ_TRACE),
        (.connect, EVHTTP_REQ_CONNECT), (.patch, EVHTTP_REQ_PATCH),
    ]

    init(_ command: evhttp_cmd_type) {
        switch command {
        case EVHTTP_REQ_POST: self = .post
        case EVHTTP_REQ_GET: self = .get
        default: self = Self.commands.first { $0.1 == command }?.0 ?? .other
        }
    }

    /// What evhttp's client sends; nil where it has no name.
    var command: evhttp_cmd_type? { Self.commands.first { $0.0 == self }?.1 }
}
