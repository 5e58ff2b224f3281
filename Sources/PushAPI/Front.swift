internal import Libevent
internal import Push

/// A listener's actor on its loop. What both listeners do with a request is here; they differ in their routes and in whom they admit.
protocol Front: Actor {
    static var routes: RouteTable<Self> { get }
    var desk: Desk { get }
    var loop: EventLoop { get }

    /// Refuses who does not show the bearer token that a route asks for; what needs the store to decide it is the handler's.
    func admit(_ headers: RequestHeaders, to access: Route<Self>.Access) throws(Refusal)
}

extension Front {
    /// Takes an exchange from the server, on the loop.
    func receive(_ exchange: HTTPExchange) {
        desk.begin()
        switch Gate.examine(exchange, Self.routes) {
        case .refused(let reply): desk.answer(exchange, with: reply)
        case .admitted(let route, let request):
            do throws(Refusal) {
                try admit(request.headers, to: route.access)
            } catch {
                var reply = Reply.refusal(error, in: request.headers.language)
                reply.headers.append(("WWW-Authenticate", "Bearer"))
                return desk.answer(exchange, with: reply)
            }
            // Both come behind what this turn reads, on this loop, where every answer of the store comes too.
            switch route.handler {
            case .waiting(let handler):
                Task.immediate(executorPreference: loop) {
                    desk.answer(exchange, with: await reply(to: request, by: handler))
                }
            case .direct(let handler):
                // Safe: the job is this loop's, and nobody else has the request.
                nonisolated(unsafe) let request = request
                loop.execute { self.assumeIsolated { handler($0, request) } }
            }
        }
    }

    private func reply(
        to request: Request, by handler: @Sendable (isolated Self, Request) async throws -> Reply
    ) async -> Reply {
        do {
            return try await handler(self, request)
        } catch {
            return .failure(error, in: request.headers.language)
        }
    }
}
