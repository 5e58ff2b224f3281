internal import Base
internal import Libevent
internal import Push
internal import Web

/// What operators follow of callers. While nothing is traced, it costs a branch at each push and each reply.
extension PushFront {
    /// What is traced has changed.
    public func traceAnew() {
        guard tracer.isOn else { return server.onReply = nil }
        let (tracer, clocks) = (tracer, clocks)
        server.onReply = { exchange, id, reply in Self.tell(tracer, exchange, id, reply, at: clocks.wall()) }
    }

    /// A request is answered. Neither its query nor its body is told.
    private static func tell(_ tracer: Tracer, _ exchange: HTTPExchange, _ id: String, _ reply: Reply, at now: Int64) {
        let app = exchange.values(of: "appkey").first.flatMap { AppKey($0) }
        var fields = [
            ("method", "\(exchange.method)"), ("path", String(exchange.rawPath.prefix(200))), ("status", "\(reply.status)"),
        ]
        if let note = reply.note { fields.append(("code", "\(note.code)")) }
        fields += [
            ("appkey", app?.text ?? "-"), ("client", exchange.clientAddress?.description ?? "-"), ("request_id", id),
        ]
        tracer.tell("request", about: TraceObject(app: app, address: exchange.clientAddress), at: now, fields)
    }
}

extension Tracer {
    /// The store has decided about a push.
    func tell(_ push: PushRequest, _ accepted: Accepted, from client: IPAddress?, as id: String, at now: Int64) {
        guard isOn else { return }
        var object = TraceObject(app: push.app, address: client)
        var fields = [("appkey", push.app.text), ("interface", push.interface.rawValue)]
        switch push.target {
        case .device(let token):
            object.device = token
            fields.append(("device_token", token.text))
        case .user(let user):
            object.user = user
            fields.append(("user_id", user.text))
        case .organisation(let organisation): fields.append(("org_id", organisation.text))
        }
        switch accepted {
        case .stored(let task): fields += [("result", "stored"), ("task_id", task.text)]
        case .repeated(let task): fields += [("result", "repeated"), ("task_id", task.text)]
        case .refused(let refusal): fields += [("result", "refused"), ("code", "\(refusal.code.rawValue)")]
        case .unavailable: fields.append(("result", "unavailable"))
        case .unknown: fields.append(("result", "unknown"))
        }
        fields.append(("request_id", id))
        tell("push", about: object, at: now, fields)
    }
}
