internal import JSON
package import Push

/// What a device receives on `psp/push/msg` and `psp/push/config`: the same bytes for every device of a task.
package enum DeviceMessage {
    /// The JSON for a task's devices, absent fields left out and `body` as the caller sent it.
    /// - Parameters:
    ///   - displayType: of a message; `nil` for a configuration.
    ///   - body: the caller's bytes.
    ///   - version: of a configuration: at most 2^53, and greater than every one before. `nil` for a message.
    ///   - sentAt: the task's `created_at`, Unix milliseconds.
    package static func compose(
        task: TaskID, app: AppKey, displayType: DisplayType?, body: ArraySlice<UInt8>, tag: String?, version: UInt64?,
        sentAt: Int64
    ) -> [UInt8] {
        // Its bytes one after the other rather than by a `JSONWriter`, which takes ten times as long: each push to a device that
        // is online makes one, and each that a device finds waiting.
        var json: [UInt8] = []
        json.reserveCapacity(body.count + app.text.utf8.count + (tag?.utf8.count ?? 0) + 192)
        json.append(#"{"task_id":"#)
        json.append(quoted: task.text)
        json.append(#","appkey":"#)
        json.append(quoted: app.text)
        if let displayType {
            json.append(#","display_type":"#)
            json.append(quoted: displayType.rawValue)
        }
        json.append(#","body":"#)
        json.append(contentsOf: body)
        if let tag {
            json.append(#","tag":"#)
            json.append(quoted: tag)
        }
        if let version {
            json.append(#","version":"#)
            json.append(decimal: version)
        }
        json.append(#","sent_at":"#)
        json.append(decimal: UInt64(max(0, sentAt)))
        json.append(UInt8(ascii: "}"))
        return json
    }
}

extension [UInt8] {
    fileprivate mutating func append(_ literal: StaticString) {
        append(contentsOf: UnsafeBufferPointer(start: literal.utf8Start, count: literal.utf8CodeUnitCount))
    }

    /// A JSON string. Names and tags that need an escape are rare: those are left to `JSONWriter`.
    fileprivate mutating func append(quoted text: String) {
        var text = text
        let isPlain = text.withUTF8 { utf8 in
            guard utf8.allSatisfy({ $0 >= 0x20 && $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "\\") }) else { return false }
            append(UInt8(ascii: "\""))
            append(contentsOf: utf8)
            append(UInt8(ascii: "\""))
            return true
        }
        guard !isPlain else { return }
        var json = JSONWriter(capacity: text.utf8.count + 16)
        json.value(text)
        append(contentsOf: json.bytes)
    }

    fileprivate mutating func append(decimal value: UInt64) {
        var (rest, power) = (value, UInt64(1))
        while value / power >= 10 { power *= 10 }
        while power > 0 {
            append(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest / power))
            rest %= power
            power /= 10
        }
    }
}
