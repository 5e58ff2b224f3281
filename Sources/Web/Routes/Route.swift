public import Libevent

/// One address with one method: what it asks of a request, and who answers. A class, so that a request that has found its route
/// copies one reference.
public final class Route<Service: Front>: Sendable {
    /// Who answers, on the front's loop.
    public enum Handler: Sendable {
        /// Returns the reply, and may wait for what it needs: runs as a task.
        case task(@Sendable (isolated Service, Request<Service>) async throws -> Reply)
        /// Sees to it that ``Front/respond(to:with:)`` or ``Front/openEventStream(for:)`` is called, once, now or later. For what
        /// comes so often that a task is too dear (it takes 5,000 instructions and two blocks of a kilobyte), and for streams.
        case direct(@Sendable (isolated Service, Request<Service>) -> Void)
    }

    /// `GET` stands for `HEAD` too.
    public let method: HTTPMethod
    /// The address.
    public let pattern: Pattern
    /// What a caller must show.
    public let access: Service.Access
    /// The query parameters it knows.
    public let query: QueryRule
    /// The body it takes.
    public let body: BodyRule
    /// Whether it is served to a connection that there is no room for: what a supervisor asks, who would take a refusal for the
    /// end.
    public let isVital: Bool
    /// What kind of request it is, by the front's own numbers from 0: they are counted apart.
    public let kind: Int
    /// Who answers.
    public let handler: Handler

    /// A route with a handler of either kind.
    /// - Parameter pattern: see ``Pattern``.
    public init(
        _ method: HTTPMethod, _ pattern: String, access: Service.Access, query: QueryRule = .none, body: BodyRule = .none,
        isVital: Bool = false, kind: Int = 0, handler: Handler
    ) {
        self.method = method
        self.pattern = Pattern(pattern)
        self.access = access
        self.query = query
        self.body = body
        self.isVital = isVital
        self.kind = kind
        self.handler = handler
    }

    /// A route whose handler runs as a task.
    public convenience init(
        _ method: HTTPMethod, _ pattern: String, access: Service.Access, query: QueryRule = .none, body: BodyRule = .none,
        isVital: Bool = false, kind: Int = 0,
        handler: @escaping @Sendable (isolated Service, Request<Service>) async throws -> Reply
    ) {
        self.init(
            method, pattern, access: access, query: query, body: body, isVital: isVital, kind: kind, handler: .task(handler))
    }
}
