internal import JSON
internal import Push
internal import Web

/// What supervisors and load balancers ask.
extension APIFront {
    /// `GET /healthz`: the loop turns. Nothing else makes it fail, or a supervisor would kill a server that is about to end well.
    func liveness(_ request: Request<Self>) async throws -> Reply {
        _ = try request.query()
        return .success { json in json.object { $0.member("status", "alive") } }
    }

    /// `GET /readyz`: pushes are taken. The log is not told of each answer: a balancer asks all the time.
    func readiness(_ request: Request<Self>) async throws -> Reply {
        _ = try request.query()
        guard let cause = unreadiness else { return .success { json in json.object { $0.member("status", "ready") } } }
        // Whoever is told to end is not busy.
        let refusal = isEnding ? Refusal(.unavailable, .ending) : Refusal(.unavailable)
        var reply = Reply.refusal(refusal, for: request.headers) { json in
            guard Self.tellsCauses else { return }
            json.member("cause", cause.name)
            json.member("detail", ifPresent: cause.detail?.text(in: request.headers.language))
            json.member("remedy", ifPresent: cause.remedy?.text(in: request.headers.language))
        }
        reply.note = nil
        return reply
    }

    /// Why no push is taken; `nil` where they are.
    var unreadiness: (name: String, detail: BilingualText?, remedy: BilingualText?)? {
        if isEnding { return ("draining", nil, nil) }
        var health = store.health
        if health == .serving {
            if readiness.hasBegun { return nil }
            health = .unreachable(reason: BilingualText("尚未读取目录", "the directory has not been read yet"))
        }
        return (health.name, health.detail, health.remedy)
    }
}
