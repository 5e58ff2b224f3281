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
            // The runtime does not run a task that prefers an executor in place: it comes behind what this turn reads, on this loop, where
            // every answer of the store resumes it too.
            Task.immediate(executorPreference: loop) {
                desk.answer(exchange, with: await reply(to: request, by: route))
            }
        }
    }

    private func reply(to request: Request, by route: Route<Self>) async -> Reply {
        do throws(Refusal) {
            try admit(request.headers, to: route.access)
        } catch {
            var reply = Reply.refusal(error, in: request.headers.language)
            reply.headers.append(("WWW-Authenticate", "Bearer"))
            return reply
        }
        do {
            return try await route.handler(self, request)
        } catch {
            return .failure(error, in: request.headers.language)
        }
    }
}
