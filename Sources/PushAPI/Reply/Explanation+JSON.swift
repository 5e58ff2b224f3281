internal import JSON
internal import Push

extension JSONWriter {
    /// Writes why a device has a task or has it not; absent fields are left out.
    mutating func value(_ explanation: Explanation) {
        let task = explanation.task
        object { json in
            json.member("task_id", task.task.text)
            json.member("device_token", explanation.device.token.text)
            json.member("reason", explanation.reason.rawValue)
            json.member("state", ifPresent: explanation.state?.rawValue)
            json.member("detail", ifPresent: explanation.detail)
            if let sentAt = explanation.sentAt { json.member("sent_to_device_at", sentAt) }
            if let acknowledgedAt = explanation.acknowledgedAt { json.member("acknowledged_at", acknowledgedAt) }
            json.member("addressed", explanation.standing == .addressed)
            if explanation.standing == .joined { json.member("joined", true) }
            json.member("status", task.status.rawValue)
            json.member("created_at", task.createdAt)
            if let expireAt = task.expireAt { json.member("expire_at", expireAt) }
            if let membership = explanation.membership {
                json.key("membership")
                json.object { json in
                    json.member("org_id", membership.organisation.text)
                    json.member("user_id", ifPresent: membership.user?.text)
                    json.member("test", membership.test)
                }
            }
            json.member("online", explanation.device.online)
            json.member("node", ifPresent: explanation.device.node?.text)
            if let lastSeen = explanation.device.lastSeen { json.member("last_seen", lastSeen) }
            if let wait = explanation.wait { json.member(wait) }
        }
    }

    private mutating func member(_ wait: Explanation.Wait) {
        key("wait")
        object { json in
            json.member("ahead", wait.ahead)
            if wait.isMore { json.member("more", true) }
            json.member("behind", ifPresent: wait.behind?.text)
            if let unacknowledged = wait.unacknowledged { json.member("unacknowledged", unacknowledged.count) }
            if let time = wait.oldestUnacknowledgedAt { json.member("oldest_unacknowledged_at", time) }
        }
    }
}
