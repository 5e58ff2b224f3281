import JSON

/// The body of a push, as the REST interface wants it.
enum PushBody {
    /// Whom it addresses.
    enum Target: Equatable, Sendable {
        case device(String)
        case user(String)
        case organisation(String)
    }

    /// What it says.
    enum Content: Equatable, Sendable {
        /// Shown by the system; `custom` is JSON.
        case notification(title: String, custom: [UInt8]?)
        /// Handed to the application; `custom` is JSON.
        case message(custom: [UInt8])
        /// A configuration.
        case configuration(String)
    }

    static func bytes(to target: Target, _ content: Content, _ options: PushOptions) -> [UInt8] {
        var json = JSONWriter()
        json.object { json in
            write(target, to: &json)
            json.key("payload")
            json.object { json in
                write(content, to: &json)
                if options.test { json.member("production_mode", false) }
                json.member("description", ifPresent: options.description)
                json.member("tag", ifPresent: options.tag)
            }
            guard options.expires != nil || options.outBizNo != nil else { return }
            json.key("policy")
            json.object { json in
                if let expires = options.expires { json.member("expire_time", expires.milliseconds) }
                json.member("out_biz_no", ifPresent: options.outBizNo)
            }
        }
        return json.bytes
    }

    private static func write(_ target: Target, to json: inout JSONWriter) {
        switch target {
        case .device(let token):
            json.member("type", "unicast")
            json.member("device_tokens", token)
        case .user(let user):
            json.member("type", "unicast")
            json.member("user_id", user)
        case .organisation(let org):
            json.member("type", "groupcast")
            json.member("org_id", org)
        }
    }

    private static func write(_ content: Content, to json: inout JSONWriter) {
        switch content {
        case .notification(let title, let custom):
            json.member("display_type", "notification")
            json.key("body")
            json.object { json in
                json.member("title", title)
                if let custom { json.member("custom", raw: custom) }
            }
        case .message(let custom):
            json.member("display_type", "message")
            json.key("body")
            json.object { $0.member("custom", raw: custom) }
        case .configuration(let text):
            json.member("body", text)
        }
    }
}
