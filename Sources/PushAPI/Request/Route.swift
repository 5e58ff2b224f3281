internal import Libevent

/// One address with one method, and who answers it. A class, so that a request that has found its route copies one reference.
final class Route<Front: Actor>: Sendable {
    /// What a route takes as its body.
    enum Body: Sendable {
        /// None: one that is sent is 2103.
        case none
        /// A JSON text of at most 64 KiB.
        case json
        /// Newline-delimited JSON of at most 64 MiB.
        case lines

        /// In bytes.
        var limit: Int {
            switch self {
            case .none, .json: 64 << 10
            case .lines: 64 << 20
            }
        }
    }

    /// Whether a caller must show who it is.
    enum Access: Sendable {
        case authenticated
        /// Probes.
        case open
    }

    /// Who answers, on the front's loop.
    enum Handler: Sendable {
        /// Returns the reply, and waits for what it needs: runs as a task.
        case waiting(@Sendable (isolated Front, Request) async throws -> Reply)
        /// Sees to it that the desk gets a reply, once, now or later. For what comes so often that a task is too dear: with its switches it takes
        /// 5,000 instructions and two blocks of a kilobyte.
        case direct(@Sendable (isolated Front, Request) -> Void)
    }

    let method: HTTPMethod
    let pattern: Pattern
    let query: QueryRule
    let body: Body
    let access: Access
    let handler: Handler

    init(
        _ method: HTTPMethod, _ pattern: String, query: QueryRule = .none, body: Body = .none, access: Access = .authenticated,
        handler: Handler
    ) {
        self.method = method
        self.pattern = Pattern(pattern)
        self.query = query
        self.body = body
        self.access = access
        self.handler = handler
    }

    convenience init(
        _ method: HTTPMethod, _ pattern: String, query: QueryRule = .none, body: Body = .none, access: Access = .authenticated,
        handler: @escaping @Sendable (isolated Front, Request) async throws -> Reply
    ) {
        self.init(method, pattern, query: query, body: body, access: access, handler: .waiting(handler))
    }
}

/// All routes of a front.
struct RouteTable<Front: Actor>: Sendable {
    /// What a request is to the table.
    enum Match {
        /// With the parameter's segment as it was sent, where the address has one.
        case route(Route<Front>, parameter: Substring?)
        /// The address is there, with these methods only.
        case otherMethods([HTTPMethod])
        /// 2107.
        case noSuchAddress
    }

    private let routes: [Route<Front>]

    init(_ routes: [Route<Front>]) { self.routes = routes }

    /// In the order of the table: few routes, and the busiest stand first.
    func match(_ method: HTTPMethod, _ path: String) -> Match {
        var others: [HTTPMethod] = []
        for route in routes {
            let parameter: Substring?
            switch route.pattern.match(path) {
            case .none: continue
            case .literal: parameter = nil
            case .parameter(let segment): parameter = segment
            }
            if route.method == method { return .route(route, parameter: parameter) }
            others.append(route.method)
        }
        return others.isEmpty ? .noSuchAddress : .otherMethods(others)
    }
}
