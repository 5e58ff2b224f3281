public import Base
public import Push

extension PushRequest {
    /// A message of so many bytes, as the limits count them.
    public static func message(
        _ target: Target, from app: String = "app", size: Int = 100, testOnly: Bool = false, tag: ExactText? = nil,
        description: String? = nil, expires: Int64? = nil, bizNo: ExactText? = nil, text: String = "hello", origin: Origin? = nil
    ) -> PushRequest {
        make(.message, target, app, #"{"body":{"title":"\#(text)"}}"#, size, testOnly, tag, description, expires, bizNo, origin)
    }

    /// A configuration.
    public static func configuration(
        _ target: Target, from app: String = "app", size: Int = 100, testOnly: Bool = false, tag: ExactText? = nil,
        description: String? = nil, expires: Int64? = nil, bizNo: ExactText? = nil, text: String = "cache=2"
    ) -> PushRequest {
        make(.configuration, target, app, #"{"body":"\#(text)"}"#, size, testOnly, tag, description, expires, bizNo)
    }

    private static func make(
        _ interface: Interface, _ target: Target, _ app: String, _ json: String, _ size: Int, _ testOnly: Bool, _ tag: ExactText?,
        _ description: String?, _ expires: Int64?, _ bizNo: ExactText?, _ origin: Origin? = nil
    ) -> PushRequest {
        let bytes = Array(json.utf8)
        let payload = Payload(
            bytes: bytes, body: 8..<bytes.count - 1, measuredSize: size,
            displayType: interface == .message ? .notification : nil)
        return PushRequest(
            app: AppKey(unchecked: app), interface: interface, target: target, payload: payload, testOnly: testOnly,
            description: description, tag: tag, expireTime: expires,
            idempotency: bizNo.map { Idempotency(outBizNo: $0, fingerprint: Array("\(interface)".utf8) + bytes) },
            origin: origin)
    }
}

extension PushRequest.Target {
    /// The one device.
    public static func device(_ token: String) -> PushRequest.Target { .device(DeviceToken(unchecked: token)) }
    /// Every device of a user.
    public static func user(_ user: String) -> PushRequest.Target { .user(UserID(unchecked: user)) }
    /// An organisation and everything below it.
    public static func organisation(_ org: String) -> PushRequest.Target { .organisation(OrgID(unchecked: org)) }
}
