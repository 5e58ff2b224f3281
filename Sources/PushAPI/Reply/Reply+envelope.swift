internal import JSON
internal import Push
internal import Web

/// Successes in the envelope.
extension Reply {
    /// `{"ret":"SUCCESS","data":…}`.
    /// - Parameter status: as the callers' document has it: 200 done, 201 created, 202 updated.
    static func success(_ status: Int = 200, capacity: Int = 256, data: (inout JSONWriter) -> Void) -> Reply {
        var json = JSONWriter(capacity: capacity)
        json.object { json in
            json.member("ret", "SUCCESS")
            json.key("data")
            data(&json)
        }
        return Reply(status: status, contentType: .json, body: json.bytes)
    }

    /// The answer to a push: written by hand, since it is written more often than all others together.
    static func accepted(_ task: TaskID) -> Reply {
        var body: [UInt8] = []
        body.reserveCapacity(80)
        body.append(contentsOf: #"{"ret":"SUCCESS","data":{"task_id":""#.utf8)
        body.append(contentsOf: task.text.utf8)
        body.append(contentsOf: #""}}"#.utf8)
        return Reply(status: 200, contentType: .json, body: body)
    }

    /// A page of a list.
    static func page<Item>(_ page: Page<Item>, item: (inout JSONWriter, Item) -> Void) -> Reply {
        success(capacity: 64 + page.items.count * 128) { json in
            json.object { json in
                json.key("items")
                json.array { json in
                    for element in page.items { item(&json, element) }
                }
                json.member("next", ifPresent: page.next?.text)
            }
        }
    }
}
