internal import JSON
internal import Push

extension JSONWriter {
    /// Writes what a push would do.
    mutating func value(_ preview: PushPreview, of request: PushRequest) {
        object { json in
            json.member("payload_size", request.payload.measuredSize)
            switch preview {
            case .repeated(let task): json.member("repeats", task.text)
            case .accepted(let addressed):
                json.member("targeted", addressed.targeted)
                json.member("android", addressed.android)
                json.member("ios", addressed.ios)
                json.member("skipped_oversize", addressed.skippedOversize)
                if let online = addressed.online { json.member("online", online) }
                if let expireAt = addressed.expireAt { json.member("expire_at", expireAt) }
            }
        }
    }
}
