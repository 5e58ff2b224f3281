internal import Crypto
internal import JSON

/// Judges the values of a body whose fields are all there, and none but those: what is not allowed is 2103.
extension PushFields {
    func request(from app: AppKey) throws(Refusal) -> PushRequest {
        let target = try readTarget()
        let payload = try readPayload()
        let testOnly = try readTestOnly()
        let description = try readText(.description, .description, limit: PushDecoder.longestDescription)
        let tag = try readText(.tag, .tag, limit: PushDecoder.longestTag)
        if let policy = root[.policy], policy.kind != .object { throw Refusal(.invalidValue, field: "policy") }
        return PushRequest(
            app: app, interface: interface, target: target, payload: payload, testOnly: testOnly, description: description,
            tag: tag,
            expireTime: try readExpireTime(), idempotency: try readIdempotency())
    }

    private func readTarget() throws(Refusal) -> PushRequest.Target {
        switch kind {
        case .unicast:
            try refuse(.orgID)
            guard root.contains(.deviceTokens) else { return .user(try readIdentifier(.userID)) }
            try refuse(.userID)
            return .device(try readIdentifier(.deviceTokens))
        case .groupcast:
            try refuse(.deviceTokens)
            try refuse(.userID)
            return .organisation(try readIdentifier(.orgID))
        case nil:
            throw Refusal(.invalidValue, field: "type")
        }
    }

    /// A target field that the `type` does not go with.
    private func refuse(_ name: Root) throws(Refusal) {
        if root.contains(name) { throw Refusal(.invalidValue, field: name.rawValue) }
    }

    private func readIdentifier<ID: Identifier>(_ name: Root) throws(Refusal) -> ID {
        guard let identifier = root[name]?.string.flatMap({ ID($0) }) else {
            throw Refusal(.invalidValue, field: name.rawValue)
        }
        return identifier
    }

    private func readPayload() throws(Refusal) -> Payload {
        guard let object = root[.payload], object.kind == .object else { throw Refusal(.invalidValue, field: "payload") }
        let displayType = try readDisplayType()
        guard let content = payload[.body], content.kind == (displayType == nil ? .string : .object) else {
            throw Refusal(.invalidValue, field: "payload.body")
        }
        if let title = body[.title], title.kind != .string { throw Refusal(.invalidValue, field: "payload.body.title") }
        let (bytes, place) = object.minified(locating: content)
        return Payload(bytes: bytes, body: place, measuredSize: object.measuredSize, displayType: displayType)
    }

    private func readDisplayType() throws(Refusal) -> DisplayType? {
        guard interface == .message else { return nil }
        guard let displayType else { throw Refusal(.invalidValue, field: "payload.display_type") }
        return displayType
    }

    private func readTestOnly() throws(Refusal) -> Bool {
        guard let option = try readOption(.productionMode, .productionMode) else { return false }
        switch option.value.kind {
        case .true: return false
        case .false: return true
        case .string where option.value.isString("true"): return false
        case .string where option.value.isString("false"): return true
        default: throw Refusal(.invalidValue, field: option.path)
        }
    }

    private func readText(_ inner: Inner, _ outer: Root, limit: Int) throws(Refusal) -> String? {
        guard let option = try readOption(inner, outer) else { return nil }
        guard let text = option.value.string, text.utf8.count <= limit else { throw Refusal(.invalidValue, field: option.path) }
        return text
    }

    /// A field that may stand in the payload or at the top.
    private struct Option {
        let value: JSONValue
        let object: String
        let name: String
        var path: String { object + name }
    }

    /// - Throws: 2103 where it stands in both places, be they equal.
    private func readOption(_ inner: Inner, _ outer: Root) throws(Refusal) -> Option? {
        switch (payload[inner], root[outer]) {
        case (nil, nil): return nil
        case (let value?, nil): return Option(value: value, object: "payload.", name: inner.rawValue)
        case (nil, let value?): return Option(value: value, object: "", name: outer.rawValue)
        case (_?, _?): throw Refusal(.invalidValue, field: outer.rawValue)
        }
    }

    private func readExpireTime() throws(Refusal) -> Int64? {
        guard let value = policy[.expireTime] else { return nil }
        guard let time = ExpireTime.parse(value) else { throw Refusal(.invalidValue, field: "policy.expire_time") }
        return time
    }

    private func readIdempotency() throws(Refusal) -> PushRequest.Idempotency? {
        guard let value = policy[.outBizNo] else { return nil }
        guard let number = value.string, (1...128).contains(number.utf8.count) else {
            throw Refusal(.invalidValue, field: "policy.out_biz_no")
        }
        // The interface's name ends at a byte that no JSON text begins with.
        var text: [UInt8] = []
        text.reserveCapacity(source.raw.count + 16)
        text.append(contentsOf: interface.rawValue.utf8)
        text.append(0)
        source.appendMinified(to: &text)
        return PushRequest.Idempotency(outBizNo: number, fingerprint: Digest.sha256.hash(text))
    }
}
