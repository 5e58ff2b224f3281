internal import CLibevent

/// A request's method. evhttp does not tell the name of one that it does not know.
public enum HTTPMethod: Hashable, Sendable {
    case get, head, post, put, delete, options, trace, connect, patch
    /// Any other.
    case other

    /// Whether a body has a meaning with it (RFC 9110 §9.3).
    public var takesBody: Bool { self == .post || self == .put || self == .patch }

    init(_ command: evhttp_cmd_type) {
        switch command {
        case EVHTTP_REQ_GET: self = .get
        case EVHTTP_REQ_HEAD: self = .head
        case EVHTTP_REQ_POST: self = .post
        case EVHTTP_REQ_PUT: self = .put
        case EVHTTP_REQ_DELETE: self = .delete
        case EVHTTP_REQ_OPTIONS: self = .options
        case EVHTTP_REQ_TRACE: self = .trace
        case EVHTTP_REQ_CONNECT: self = .connect
        case EVHTTP_REQ_PATCH: self = .patch
        default: self = .other
        }
    }

    /// What evhttp's client sends; nil where it has no name.
    var command: evhttp_cmd_type? {
        switch self {
        case .get: EVHTTP_REQ_GET
        case .head: EVHTTP_REQ_HEAD
        case .post: EVHTTP_REQ_POST
        case .put: EVHTTP_REQ_PUT
        case .delete: EVHTTP_REQ_DELETE
        case .options: EVHTTP_REQ_OPTIONS
        case .trace: EVHTTP_REQ_TRACE
        case .connect: EVHTTP_REQ_CONNECT
        case .patch: EVHTTP_REQ_PATCH
        case .other: nil
        }
    }
}
