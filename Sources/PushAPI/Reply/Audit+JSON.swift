public import JSON
public import Push

extension JSONWriter {
    /// Writes an entry of the audit log.
    mutating func value(_ record: AuditRecord) {
        object { json in
            json.member("id", record.number)
            json.member("time", record.time)
            json.member("node", ifPresent: record.node?.text)
            json.members(of: record.entry)
        }
    }

    /// Writes what it says, all but its number, time and node.
    public mutating func members(of entry: AuditEntry) {
        member("caller", entry.caller.kind)
        member("operator", ifPresent: entry.caller.name?.text)
        member("address", ifPresent: entry.client?.description)
        member("request_id", ifPresent: entry.requestID)
        member("action", entry.action.rawValue)
        member("target_type", ifPresent: entry.target?.kind.rawValue)
        member("target", ifPresent: entry.target?.id)
        member("task_id", ifPresent: entry.task)
        member("code", entry.code)
        guard !entry.details.isEmpty else { return }
        key("details")
        array { json in
            for detail in entry.details {
                json.object { json in
                    json.member("field", detail.field)
                    json.member("from", ifPresent: detail.former)
                    json.member("to", ifPresent: detail.present)
                }
            }
        }
    }

    /// Writes how often somebody was refused in a minute.
    mutating func value(_ count: RefusalCount) {
        object { json in
            json.member("minute", count.minute)
            json.members(of: count)
        }
    }

    /// Writes all but the minute. What is absent is not known; without a code it is everything that found no room of its own.
    public mutating func members(of count: RefusalCount) {
        member("listener", count.key.listener.name)
        member("name", ifPresent: count.key.name?.text)
        member("address", ifPresent: count.key.client?.description)
        if let code = count.key.code { member("code", code) }
        member("count", count.count)
    }
}
