internal import JSON
internal import Push

extension JSONWriter {
    /// Writes a task as callers see it; absent fields are left out.
    /// - Parameter withApp: names the app too, for operators, who see every app's tasks.
    mutating func value(_ report: TaskReport, withApp: Bool) {
        object { json in
            json.member("task_id", report.task.text)
            if withApp { json.member("appkey", report.app.text) }
            json.member("interface", report.interface.rawValue)
            json.target(report.target)
            json.member("payload", raw: report.payload)
            json.member("description", ifPresent: report.description)
            json.member("tag", ifPresent: report.tag?.text)
            json.member("created_at", report.createdAt)
            if let expireAt = report.expireAt { json.member("expire_at", expireAt) }
            json.member("operator", ifPresent: report.origin?.operator?.text)
            json.member("from_address", ifPresent: report.origin?.client?.description)
            json.member("request_id", ifPresent: report.origin?.requestID)
            json.member("status", report.status.rawValue)
            json.key("counts")
            json.object { $0.members(of: report.counts) }
        }
    }

    /// `type` and the target, by the names under which they were sent.
    private mutating func target(_ target: PushRequest.Target) {
        switch target {
        case .device(let token):
            member("type", "unicast")
            member("device_tokens", token.text)
        case .user(let user):
            member("type", "unicast")
            member("user_id", user.text)
        case .organisation(let id):
            member("type", "groupcast")
            member("org_id", id.text)
        }
    }
}
