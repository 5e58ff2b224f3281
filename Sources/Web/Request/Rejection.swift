public import Libevent

/// Why a request is not handed to its route, or cannot be read by it. What the peer is told of it, its front says: an error in
/// JSON, a page.
public enum Rejection: Error, Hashable, Sendable {
    /// No route has the address.
    case noSuchAddress
    /// The address takes these methods only. The reply names them in `Allow` (RFC 9110 §15.5.6).
    case methodNotAllowed([HTTPMethod])
    /// The listener has as many connections as it may. The connection closes.
    case noRoom
    /// The request line and the headers are longer than so many bytes.
    case headTooLarge(limit: Int)
    /// The body is longer than so many bytes. How long it is, where `Content-Length` says it.
    case bodyTooLarge(limit: Int, announced: Int?)
    /// It is in doubt where the request ends or what it asks. The connection closes.
    case framing(HTTPFraming)
    /// The route takes no body. The connection closes.
    case unexpectedBody
    /// The head was refused, so that the body was not read; in the meantime it would not be refused any more. The caller may send
    /// it again. The connection closes.
    case bodyDropped
    /// The caller has not shown who it is. The reply names the scheme in `WWW-Authenticate` (RFC 9110 §11.6.1).
    case unauthorized(scheme: String)
    /// A query parameter that the route does not know; it knows these.
    case unknownParameter(String, known: [String])
    /// A query parameter that the route requires.
    case missingParameter(String)
    /// A query parameter that was given twice, or cannot be read.
    case invalidParameter(String, ParameterFault)

    /// What is wrong with a query parameter, with its value where that is what is wrong.
    public enum ParameterFault: Hashable, Sendable {
        /// Given more than once.
        case repeated
        /// A broken percent-encoding, or bytes that are not UTF-8.
        case undecodable
        /// No number in this range.
        case notANumber(String, ClosedRange<Int64>)
        /// Neither `true` nor `false`.
        case notAFlag(String)
    }

    /// Sets what HTTP asks of the reply, whatever the front makes of it.
    func complete(_ reply: inout Reply) {
        switch self {
        case .methodNotAllowed(let methods):
            reply.headers.append(("Allow", methods.map(\.rawValue).joined(separator: ", ")))
        case .unauthorized(let scheme): reply.headers.append(("WWW-Authenticate", scheme))
        case .framing(let framing):
            reply.closes = true
            if let status = framing.status { reply.status = status }
        case .noRoom, .unexpectedBody, .bodyDropped: reply.closes = true
        case .noSuchAddress, .headTooLarge, .bodyTooLarge, .unknownParameter, .missingParameter, .invalidParameter: break
        }
    }
}

extension HTTPFraming {
    /// The name of the header at fault, where it is one.
    public var header: String? {
        switch self {
        case .duplicateContentLength, .malformedContentLength: "Content-Length"
        case .contentLengthWithTransferEncoding, .unsupportedTransferEncoding, .malformedChunk: "Transfer-Encoding"
        case .badHost: "Host"
        case .unknownExpectation: "Expect"
        case .ok, .malformedRequestLine, .tlsHandshake, .unsupportedVersion, .bodyWithBodilessMethod, .malformedHeader: nil
        }
    }

    /// The status that HTTP has for it, where that is not the front's to choose (RFC 9110 §15).
    var status: Int? {
        switch self {
        case .unsupportedVersion: 505
        case .unknownExpectation: 417
        default: nil
        }
    }
}
