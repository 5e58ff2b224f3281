import Push

extension PushRequest {
    /// A message of so many bytes, as the limits count them.
    static func message(
        _ target: Target, from app: String = "app", size: Int = 100, testOnly: Bool = false, tag: String? = nil,
        expires: Int64? = nil, bizNo: String? = nil, text: String = "hello"
    ) -> PushRequest {
        make(.message, target, app, "{\"body\":{\"title\":\"\(text)\"}}", size, testOnly, tag, expires, bizNo)
    }

    /// A configuration.
    static func configuration(
        _ target: Target, from app: String = "app", size: Int = 100, testOnly: Bool = false, tag: String? = nil,
        expires: Int64? = nil, bizNo: String? = nil, text: String = "cache=2"
    ) -> PushRequest {
        make(.configuration, target, app, "{\"body\":\"\(text)\"}", size, testOnly, tag, expires, bizNo)
    }

    private static func make(
        _ interface: Interface, _ target: Target, _ app: String, _ json: String, _ size: Int, _ testOnly: Bool, _ tag: String?,
        _ expires: Int64?, _ bizNo: String?
    ) -> PushRequest {
        let bytes = Array(json.utf8)
        let payload = Payload(
            bytes: bytes, body: 8..<bytes.count - 1, measuredSize: size,
            displayType: interface == .message ? .notification : nil)
        return PushRequest(
            app: AppKey(unchecked: app), interface: interface, target: target, payload: payload, testOnly: testOnly, tag: tag,
            expireTime: expires,
            idempotency: bizNo.map { Idempotency(outBizNo: $0, fingerprint: bytes) })
    }
}

extension PushRequest.Target {
    static func device(_ token: String) -> PushRequest.Target { .device(DeviceToken(unchecked: token)) }
    static func user(_ user: String) -> PushRequest.Target { .user(UserID(unchecked: user)) }
    static func organisation(_ org: String) -> PushRequest.Target { .organisation(OrgID(unchecked: org)) }
}
