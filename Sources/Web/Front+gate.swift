public import Base
public import Libevent

/// The gate: the checks that come before a handler sees a request, in this order: address, method, room, size, framing,
/// access.
///
/// They are made when the request is there, as most are in one piece; or when its head is there and its body is still to come, so
/// that no body is kept for nothing, and then hold for the whole of it. What the head alone is refused for comes a second time
/// without its body, and is refused for the same reason.
extension Front {
    /// Makes the checks.
    /// - Throws: the first that fails: a ``Rejection``, or what ``admit(_:to:calling:from:)`` throws.
    @inlinable
    func examine(_ head: some RequestHead) throws -> (match: RouteTable<Self>.Match, headers: Headers, caller: Caller) {
        let match: RouteTable<Self>.Match
        do throws(Rejection) {
            match = try Self.routes.match(head.method, head.rawPath)
        } catch {
            // Of a first line without a path it is no use to say that there is no such address.
            throw head.framing == .ok || head.rawPath.hasPrefix("/") ? error : Rejection.framing(head.framing)
        }
        guard !head.isSurplus || match.route.isVital else { throw Rejection.noRoom }
        let limits = server.limits
        guard head.headerBytes <= limits.maxHeaderBytes else { throw Rejection.headTooLarge(limit: limits.maxHeaderBytes) }
        let body = match.route.body
        let bodyLimit = body.limit(whole: server.maxWholeBody)
        guard head.bodyCount <= bodyLimit else {
            throw Rejection.bodyTooLarge(limit: bodyLimit, announced: head.announcedLength)
        }
        guard head.framing == .ok else { throw Rejection.framing(head.framing) }
        guard body != .none || !head.hasBody else { throw Rejection.unexpectedBody }
        let headers = Headers(of: head)
        let caller = try admit(headers, to: match.route.access, calling: head.call) { head.clientAddress }
        return (match, headers, caller)
    }

    /// Says how much body may come behind a head.
    @inlinable
    func judge(_ head: HTTPRequestHead) -> HTTPBodyVerdict {
        do {
            let (match, headers, caller) = try examine(head)
            guard mayKeepBody(of: caller) else { return .refuse }
            let admission = Admission<Self>(match: match, headers: headers, caller: caller)
            if case .pieces(let limit) = match.route.body {
                // Of a body whose length is not announced all may come that is allowed.
                guard let room = server.largeBodies.reserve(head.announcedLength ?? limit) else { return .refuse }
                admission.room = room
            }
            return .accept(
                upTo: match.route.body.limit(whole: server.maxWholeBody), isStranger: isStranger(caller), admission: admission)
        } catch {
            // Why, is said when the handler is called.
            return .refuse
        }
    }

    /// A request that is there, for its handler; or, without its body, one of a caller for whom no body is kept.
    /// - Throws: what ``examine(_:)`` and ``confirm(_:to:)`` throw, and ``Rejection/bodyDropped``.
    @inlinable
    func request(from exchange: HTTPExchange) throws -> Request<Self> {
        if let admission = exchange.admission as? Admission<Self>, !exchange.isSurplus {
            let caller = try confirm(admission.caller, to: admission.match.route.access)
            return Request(
                exchange, to: admission.match, headers: admission.headers, caller: caller, server: server, at: loop.monotonicNow)
        }
        let (match, headers, caller) = try examine(exchange)
        guard !exchange.isRefused || !mayKeepBody(of: caller) else { throw Rejection.bodyDropped }
        return Request(exchange, to: match, headers: headers, caller: caller, server: server, at: loop.monotonicNow)
    }
}

/// What the gate has found out about a request by its head, until its body is there.
@usableFromInline
final class Admission<Service: Front> {
    @usableFromInline let match: RouteTable<Service>.Match
    @usableFromInline let headers: Service.Headers
    @usableFromInline let caller: Service.Caller
    /// What the listener keeps free for the body, as long as the request is there.
    @usableFromInline var room: BodyBudget.Reservation?

    @inlinable
    init(match: RouteTable<Service>.Match, headers: Service.Headers, caller: Service.Caller) {
        (self.match, self.headers, self.caller) = (match, headers, caller)
    }
}
