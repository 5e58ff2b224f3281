public import Libevent

/// All routes of a front.
public struct RouteTable<Service: Front>: Sendable {
    /// A request's route.
    public struct Match {
        /// The most specific one with the request's address and method.
        public let route: Route<Service>
        /// The values of the address's parameters as they were sent, in the order of the path.
        public let parameters: [Substring]

        @inlinable
        init(route: Route<Service>, parameters: [Substring]) {
            self.route = route
            self.parameters = parameters
        }
    }

    @usableFromInline let routes: [Route<Service>]

    /// More specific patterns are asked first (see ``Pattern``), those without a parameter before all others; among those that
    /// are alike the table's order holds, so let the busiest stand first.
    public init(_ routes: [Route<Service>]) {
        let sorted = routes.enumerated().sorted { one, other in
            if one.element.pattern.isMoreSpecific(than: other.element.pattern) { return true }
            return !other.element.pattern.isMoreSpecific(than: one.element.pattern) && one.offset < other.offset
        }.map(\.element)
        self.routes = routes.filter(\.pattern.names.isEmpty) + sorted.filter { !$0.pattern.names.isEmpty }
    }

    /// The route of a request. A `HEAD` goes where the `GET` goes, an `OPTIONS` nowhere: who answers it looks at the methods.
    /// - Throws: ``Rejection/noSuchAddress`` or ``Rejection/methodNotAllowed(_:)``.
    @inlinable
    public func match(_ method: HTTPMethod, _ path: String) throws(Rejection) -> Match {
        var others: [HTTPMethod] = []
        for route in routes {
            guard let parameters = route.pattern.match(path) else { continue }
            if route.method == method || method == .head && route.method == .get {
                return Match(route: route, parameters: parameters)
            }
            // Several patterns may take the address.
            if others.contains(route.method) { continue }
            others.append(route.method)
            if route.method == .get { others.append(.head) }
        }
        // `OPTIONS *` is about the server (RFC 9110 §9.3.7).
        if method == .options && path == "*" { others = allMethods }
        throw others.isEmpty ? .noSuchAddress : .methodNotAllowed(others + [.options])
    }

    /// What kind of request that is; 0 where no route takes it.
    @usableFromInline
    func kind(of method: HTTPMethod, _ path: String) -> Int {
        routes.first { ($0.method == method || method == .head && $0.method == .get) && $0.pattern.match(path) != nil }?.kind ?? 0
    }

    /// How many kinds of request there are.
    var kinds: Int { (routes.map(\.kind).max() ?? 0) + 1 }

    /// What any address takes, but `OPTIONS`.
    @usableFromInline
    var allMethods: [HTTPMethod] {
        var methods: [HTTPMethod] = [.get, .head]
        for route in routes where !methods.contains(route.method) { methods.append(route.method) }
        return methods
    }

    /// The most that any route takes as a body, in bytes.
    /// - Parameter whole: what the listener takes in one piece.
    func maxBodyBytes(whole: Int) -> Int { routes.map { $0.body.limit(whole: whole) }.max() ?? 0 }
}
