internal import Libevent
internal import Push

/// The checks that come before anybody is asked who they are: address (2107), method (2108), size (2106), framing (2103).
enum Gate<Front: Actor> {
    case admitted(Route<Front>, Request)
    case refused(Reply)

    /// Takes an exchange apart as far as its route needs it.
    static func examine(_ exchange: HTTPExchange, _ routes: RouteTable<Front>) -> Gate {
        switch routes.match(exchange.method, exchange.rawPath) {
        case .noSuchAddress: return refuse(exchange, Refusal(.noSuchAddress))
        case .otherMethods(let methods):
            let allow = methods.map(\.name).joined(separator: ", ")
            return refuse(exchange, Refusal(.methodNotAllowed)) { $0.headers.append(("Allow", allow)) }
        case .route(let route, let parameter):
            guard exchange.headerBytes <= HTTPLimits.headerBytes, exchange.bodyCount <= route.body.limit else {
                return refuse(exchange, Refusal(.requestTooLarge))
            }
            guard exchange.framing == .ok else {
                return refuse(exchange, Refusal(.invalidValue, field: exchange.framing.header)) { $0.closes = true }
            }
            if route.body == .none, exchange.bodyCount > 0 {
                return refuse(exchange, Refusal(.invalidValue)) { $0.closes = true }
            }
            let request = Request(exchange, parameter: parameter ?? "", rule: route.query, copiesBody: route.body != .lines)
            return .admitted(route, request)
        }
    }

    private static func refuse(_ exchange: HTTPExchange, _ refusal: Refusal, _ amend: (inout Reply) -> Void = { _ in }) -> Gate {
        var reply = Reply.refusal(refusal, in: RequestHeaders(exchange).language)
        amend(&reply)
        return .refused(reply)
    }
}

extension HTTPFraming {
    /// The header at fault, where it is one.
    fileprivate var header: String? {
        switch self {
        case .duplicateContentLength, .malformedContentLength: "Content-Length"
        case .contentLengthWithTransferEncoding, .unsupportedTransferEncoding: "Transfer-Encoding"
        case .ok, .bodyWithBodilessMethod, .malformedHeader: nil
        }
    }
}

extension HTTPMethod {
    /// As `Allow` names it (RFC 9110 §10.2.1); only methods of our own routes are asked.
    fileprivate var name: String { "\(self)".uppercased() }
}

extension HTTPLimits {
    /// The most bytes of request line and headers that the interface takes.
    static let headerBytes = 16 << 10

    /// These limits with the interface's sizes: the server and the gate must agree on what is too large.
    func bounded(maxBodyBytes: Int) -> HTTPLimits {
        var limits = self
        limits.maxHeaderBytes = Self.headerBytes
        limits.maxBodyBytes = maxBodyBytes
        return limits
    }
}
