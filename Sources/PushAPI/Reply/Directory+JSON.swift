internal import Base
internal import JSON
internal import Push

extension JSONWriter {
    /// Writes an app as operators see it: the fields of its PUT with `appkey`, without its secret.
    mutating func value(_ app: App) {
        object { json in
            json.member("appkey", app.key.text)
            json.member("name", app.name)
            json.key("interfaces")
            json.array { json in
                // In the catalogue's order, since a set has none.
                for interface in Interface.allCases where app.interfaces.contains(interface) { json.value(interface.rawValue) }
            }
            json.member("org_id", ifPresent: app.scope?.text)
            json.member("disabled", app.disabled)
            json.member("hmac_only", app.hmacOnly)
            if !app.addresses.isEmpty {
                json.key("addresses")
                json.array { json in for range in app.addresses { json.value(range.description) } }
            }
            if let count = app.quota.perSecond { json.member("pushes_per_second", count) }
            if let count = app.quota.perDay { json.member("pushes_per_day", count) }
            json.member("master_secret_last_used", ifPresent: app.secretUse.master.map(UTCTime.date(ofDay:)))
            json.member("former_secret", app.formerSecret != nil)
            json.member("former_secret_last_used", ifPresent: app.secretUse.former.map(UTCTime.date(ofDay:)))
        }
    }

    /// Writes an organisation with its subtree's counters.
    mutating func value(_ organisation: Organisation) {
        object { json in
            json.member("org_id", organisation.id.text)
            json.member("name", organisation.name)
            json.member("parent_id", ifPresent: organisation.parent?.text)
            json.member("devices", organisation.devices)
            json.member("online", organisation.online)
        }
    }

    /// Writes a device, without its secret.
    /// - Parameter backlog: what it has still to get, where that was asked for.
    mutating func value(_ device: Device, _ backlog: Backlog? = nil) {
        object { json in
            json.member("device_token", device.token.text)
            json.member("platform", device.platform.rawValue)
            json.member("org_id", device.organisation.text)
            json.member("user_id", ifPresent: device.user?.text)
            json.member("test", device.test)
            json.member("online", device.online)
            json.member("node", ifPresent: device.node?.text)
            if let lastSeen = device.lastSeen { json.member("last_seen", lastSeen) }
            json.member("certificate_sha256", ifPresent: device.certificate?.text)
            if let backlog { json.members(of: backlog) }
        }
    }

    private mutating func members(of backlog: Backlog) {
        member("pending", backlog.pending)
        if backlog.isMore { member("pending_more", true) }
        if let unacknowledged = backlog.unacknowledged { member("unacknowledged", unacknowledged.count) }
        if let time = backlog.oldestUnacknowledgedAt { member("oldest_unacknowledged_at", time) }
    }

    /// Writes one device of a task's list.
    mutating func value(_ recipient: Recipient) {
        object { json in
            json.member("device_token", recipient.device.text)
            json.member("detail", ifPresent: recipient.shownDetail)
        }
    }
}

extension Recipient {
    /// What stands beside the token: that it is not the present holder's device, and what the device told.
    fileprivate var shownDetail: String? {
        guard isFormer else { return detail }
        return "former holder" + (detail.map { ": " + $0 } ?? "")
    }
}
