internal import Libevent
internal import Push
internal import Web

/// `POST /psp/admin/push?appkey=KEY&interface=msg|config`: an operator pushes on behalf of an app; with `dry_run=1` it is told
/// what would happen, and nothing does.
extension AdminFront {
    func push(_ request: Request<AdminFront>) async throws -> Reply {
        let (push, isDryRun) = try request.push()
        let call = try operatorCall(of: request)
        if isDryRun {
            let preview = try await store.preview(push, by: call)
            return .success { $0.value(preview, of: push) }
        }
        let accepted = await store.append(push, by: call)
        process.pushed(push.interface, accepted)
        process.tracing.tracer.tell(
            push, accepted, from: request.exchange.clientAddress, as: request.id, at: loop.wallClockMilliseconds)
        let task = try accepted.task
        // Here, where the task is known: the store has the same entry.
        record(AuditEntry(call, .push, push, task: task), isInStore: true)
        return .accepted(task)
    }
}

extension Request where Service == AdminFront {
    /// The push that it asks for, and whether it only asks what that would do.
    fileprivate func push() throws -> (push: PushRequest, isDryRun: Bool) {
        let query = try query()
        guard let app: AppKey = try query.identifier("appkey") else { throw Rejection.missingParameter("appkey") }
        let names = Interface.allCases.map(\.rawValue)
        guard let interface = try query.choice("interface", of: names).flatMap({ Interface(rawValue: $0) }) else {
            throw Rejection.missingParameter("interface")
        }
        let isDryRun = try query.choice("dry_run", of: ["0", "1"]) == "1"
        let push = try decoded { body throws(Refusal) in try PushDecoder.decode(body, for: interface, from: app) }
        return (push, isDryRun)
    }

    /// Whom a push addresses, for the audit log; `nil` of any other request, and where it cannot be read.
    var pushTarget: AuditTarget? {
        guard route.audited == .push, let (push, _) = try? push() else { return nil }
        return AuditTarget(push.target)
    }

    /// As what the audit log names it.
    var audited: AuditAction? {
        guard route.audited == .push, let query = try? query(), query["dry_run"] == "1" else { return route.audited }
        return .pushPreview
    }
}
