internal import JSON

/// What a device receives on `psp/push/msg` and `psp/push/config`: the same bytes for every device of a task.
public enum DeviceMessage {
    /// The JSON for a task's devices, absent fields left out and `body` as the caller sent it.
    /// - Parameters:
    ///   - version: of a configuration: at most 2^53, and greater than every one before. `nil` for a message.
    ///   - sentAt: the task's `created_at`, Unix milliseconds.
    public static func compose(_ request: PushRequest, task: TaskID, version: UInt64?, sentAt: Int64) -> [UInt8] {
        var json = JSONWriter(capacity: request.payload.body.count + 256)
        json.object { json in
            json.member("task_id", task.text)
            json.member("appkey", request.app.text)
            json.member("display_type", ifPresent: request.payload.displayType?.rawValue)
            json.member("body", raw: request.payload.bytes[request.payload.body])
            json.member("tag", ifPresent: request.tag)
            if let version { json.member("version", version) }
            json.member("sent_at", sentAt)
        }
        return json.bytes
    }
}
