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

    /// More specific patterns are asked first (see ``Pattern``); among those that are alike the table's order holds, so let the
    /// busiest stand first.
    public init(_ routes: [Route<Service>]) {
        self.routes = routes.enumerated().sorted { one, other in
            if one.element.pattern.isMoreSpecific(than: other.element.pattern) { return true }
            return !other.element.pattern.isMoreSpecific(than: one.element.pattern) && one.offset < other.offset
        }.map(\.element)
    }

    /// The route of a request. A `HEAD` goes where the `GET` goes.
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
        throw others.isEmpty ? .noSuchAddress : .methodNotAllowed(others)
    }

    /// The most that any route takes as a body, in bytes.
    var maxBodyBytes: Int { routes.map(\.body.limit).max() ?? 0 }
}
