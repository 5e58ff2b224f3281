internal import JSON

/// What a device receives on `psp/push/msg` and `psp/push/config`: the same bytes for every device of a task.
public enum DeviceMessage {
    /// The JSON for a task's devices, absent fields left out and `body` as the caller sent it.
    /// - Parameters:
    ///   - displayType: of a message; `nil` for a configuration.
    ///   - body: the caller's bytes.
    ///   - version: of a configuration: at most 2^53, and greater than every one before. `nil` for a message.
    ///   - sentAt: the task's `created_at`, Unix milliseconds.
    public static func compose(
        task: TaskID, app: AppKey, displayType: DisplayType?, body: ArraySlice<UInt8>, tag: String?, version: UInt64?,
        sentAt: Int64
    ) -> [UInt8] {
        var json = JSONWriter(capacity: body.count + 256)
        json.object { json in
            json.member("task_id", task.text)
            json.member("appkey", app.text)
            json.member("display_type", ifPresent: displayType?.rawValue)
            json.member("body", raw: body)
            json.member("tag", ifPresent: tag)
            if let version { json.member("version", version) }
            json.member("sent_at", sentAt)
        }
        return json.bytes
    }
}
