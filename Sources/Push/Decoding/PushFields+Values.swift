internal import Base
internal import Crypto
internal import JSON

/// Judges the values of a body whose fields are all there, and none but those: what is not allowed is 2103.
extension PushFields {
    func request(from app: AppKey, nonce: UsedNonce?, origin: PushRequest.Origin?) throws(Refusal) -> PushRequest {
        let target = try readTarget()
        let payload = try readPayload()
        let testOnly = try readTestOnly()
        let description = try readText(.description, .description, limit: PushDecoder.longestDescription)
        let tag = try readText(.tag, .tag, limit: PushDecoder.longestTag)
        if let policy = root[.policy], policy.kind != .object { throw refusal("policy", .object, policy) }
        return PushRequest(
            app: app, interface: interface, target: target, payload: payload, testOnly: testOnly, description: description,
            tag: tag.flatMap { $0.isEmpty ? nil : ExactText($0) }, expireTime: try readExpireTime(),
            idempotency: try readIdempotency(), nonce: nonce, origin: origin)
    }

    private func readTarget() throws(Refusal) -> PushRequest.Target {
        switch kind {
        case .unicast:
            guard root.contains(.deviceTokens) else { return .user(try readIdentifier(.userID)) }
            if root.contains(.userID) {
                throw Refusal(
                    .invalidValue, field: Root.userID.rawValue,
                    .expected(.onlyOneOf([Root.deviceTokens.rawValue, Root.userID.rawValue])))
            }
            return .device(try readIdentifier(.deviceTokens))
        case .groupcast: return .organisation(try readIdentifier(.orgID))
        case nil: throw refusal("type", .oneOf(Kind.allCases.map(\.rawValue)), root[.type])
        }
    }

    private func readIdentifier<ID: Identifier>(_ name: Root) throws(Refusal) -> ID {
        guard let identifier = root[name]?.string.flatMap({ ID($0) }) else {
            throw refusal(name.rawValue, .identifier, root[name])
        }
        return identifier
    }

    /// 2103: what must be in a field, and what is.
    private func refusal(_ field: String, _ requirement: Requirement, _ value: JSONValue?) -> Refusal {
        Refusal(.invalidValue, field: field, .expected(requirement, value.map { Excerpt($0) }))
    }

    private func readPayload() throws(Refusal) -> Payload {
        guard let object = root[.payload], object.kind == .object else { throw refusal("payload", .object, root[.payload]) }
        let displayType = try readDisplayType()
        guard let content = payload[.body], content.kind == (displayType == nil ? .string : .object) else {
            throw refusal("payload.body", displayType == nil ? .string : .object, payload[.body])
        }
        // Two bytes are the quotes: nothing is decoded for this.
        if let title = body[.title], title.kind != .string || title.raw.count == 2 {
            throw refusal("payload.body.title", .nonEmptyString, title)
        }
        let (bytes, place) = object.minified(locating: content)
        return Payload(bytes: bytes, body: place, measuredSize: object.measuredSize, displayType: displayType)
    }

    private func readDisplayType() throws(Refusal) -> DisplayType? {
        guard interface == .message else { return nil }
        guard let displayType else {
            throw refusal("payload.display_type", .oneOf(DisplayType.allCases.map(\.rawValue)), payload[.displayType])
        }
        return displayType
    }

    private func readTestOnly() throws(Refusal) -> Bool {
        guard let option = try readOption(.productionMode, .productionMode) else { return false }
        switch option.value.kind {
        case .true: return false
        case .false: return true
        case .string where option.value.isString("true"): return false
        case .string where option.value.isString("false"): return true
        default: throw refusal(option.path, .boolean, option.value)
        }
    }

    private func readText(_ inner: Inner, _ outer: Root, limit: Int) throws(Refusal) -> String? {
        guard let option = try readOption(inner, outer) else { return nil }
        guard let text = option.value.string, text.utf8.count <= limit else {
            throw refusal(option.path, .text(bytes: 0...limit), option.value)
        }
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
        case (_?, _?): throw Refusal(.invalidValue, field: outer.rawValue, .expected(.onePlace))
        }
    }

    private func readExpireTime() throws(Refusal) -> Int64? {
        guard let value = policy[.expireTime] else { return nil }
        guard let time = ExpireTime.parse(value) else { throw refusal("policy.expire_time", .time, value) }
        return time
    }

    private func readIdempotency() throws(Refusal) -> PushRequest.Idempotency? {
        guard let value = policy[.outBizNo] else { return nil }
        guard let number = value.string, (1...128).contains(number.utf8.count) else {
            throw refusal("policy.out_biz_no", .text(bytes: 1...128), value)
        }
        // The interface's name ends at a byte that no JSON text begins with.
        var text: [UInt8] = []
        text.reserveCapacity(source.raw.count + 16)
        text.append(contentsOf: interface.rawValue.utf8)
        text.append(0)
        source.appendMinified(to: &text)
        return PushRequest.Idempotency(outBizNo: ExactText(number), fingerprint: Digest.sha256.hash(text))
    }
}
