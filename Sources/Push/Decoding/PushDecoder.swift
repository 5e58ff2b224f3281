internal import Crypto
internal import JSON

/// Reads the body of `/psp/push/msg` and `/psp/push/config`. Pure: what depends on clock, directory or earlier pushes is the store's.
public enum PushDecoder {
    /// The largest `description`, in bytes of UTF-8.
    public static let longestDescription = 1024
    /// The largest `tag`, in bytes of UTF-8.
    public static let longestTag = 128

    /// The push that a body asks for.
    ///
    /// Empty strings: an empty `out_biz_no` or identifier is 2103; an empty `title`, `tag`, `description` or configuration is a string
    /// like any other, for the interface sets no least length for them.
    /// - Throws: the first that fails of 2101, 2104, 2102, 2103, with the path of the field.
    public static func decode(_ body: [UInt8], for interface: Interface, from app: AppKey) throws(Refusal) -> PushRequest {
        let document: JSONDocument
        do {
            document = try JSONDocument(parsing: body)
        } catch {
            throw Refusal(.invalidJSON)
        }
        guard document.root.kind == .object else { throw Refusal(.invalidValue) }
        let fields = PushFields(document.root, interface: interface)
        try fields.faults.refuseUnsupported()
        if let missing = fields.missing { throw Refusal(.missingField, field: missing) }
        try fields.faults.refuseRepeated()
        return try PushValues(document.root, fields).request(from: app)
    }
}

/// Judges the values of a body whose fields are all there, and none but those.
private struct PushValues {
    let request: JSONValue
    let fields: PushFields

    init(_ request: JSONValue, _ fields: PushFields) {
        self.request = request
        self.fields = fields
    }

    func request(from app: AppKey) throws(Refusal) -> PushRequest {
        var push = PushRequest(app: app, interface: fields.interface, target: try target(), payload: try payload())
        push.testOnly = try testOnly()
        push.description = try text(.description, .description, at: "description", limit: PushDecoder.longestDescription)
        push.tag = try text(.tag, .tag, at: "tag", limit: PushDecoder.longestTag)
        if let policy = fields.root[.policy], policy.kind != .object { throw Refusal(.invalidValue, field: "policy") }
        push.expireTime = try expireTime()
        push.idempotency = try idempotency()
        return push
    }

    private func target() throws(Refusal) -> PushRequest.Target {
        switch fields.root[.type]?.string {
        case "unicast":
            try refuse(.orgID)
            guard fields.root[.deviceTokens] != nil else { return .user(try identifier(.userID)) }
            try refuse(.userID)
            return .device(try identifier(.deviceTokens))
        case "groupcast":
            try refuse(.deviceTokens)
            try refuse(.userID)
            return .organisation(try identifier(.orgID))
        default:
            throw Refusal(.invalidValue, field: "type")
        }
    }

    /// A target field that the `type` does not go with.
    private func refuse(_ name: PushFields.Root) throws(Refusal) {
        if fields.root[name] != nil { throw Refusal(.invalidValue, field: name.rawValue) }
    }

    private func identifier<Name: Identifier>(_ name: PushFields.Root) throws(Refusal) -> Name {
        guard let identifier = fields.root[name]?.string.flatMap({ Name($0) }) else {
            throw Refusal(.invalidValue, field: name.rawValue)
        }
        return identifier
    }

    private func payload() throws(Refusal) -> Payload {
        guard let payload = fields.root[.payload], payload.kind == .object else { throw Refusal(.invalidValue, field: "payload") }
        let displayType = try displayType()
        guard let body = fields.payload[.body], body.kind == (displayType == nil ? .string : .object) else {
            throw Refusal(.invalidValue, field: "payload.body")
        }
        if let title = fields.body[.title], title.kind != .string { throw Refusal(.invalidValue, field: "payload.body.title") }
        let (bytes, place) = payload.minified(locating: body)
        return Payload(bytes: bytes, body: place, measuredSize: payload.measuredSize, displayType: displayType)
    }

    private func displayType() throws(Refusal) -> DisplayType? {
        guard fields.interface == .message else { return nil }
        guard let type = fields.payload[.displayType]?.string.flatMap(DisplayType.init) else {
            throw Refusal(.invalidValue, field: "payload.display_type")
        }
        return type
    }

    private func testOnly() throws(Refusal) -> Bool {
        guard let (value, path) = try option(.productionMode, .productionMode, at: "production_mode") else { return false }
        switch (value.kind, value.string) {
        case (.true, _), (.string, "true"): return false
        case (.false, _), (.string, "false"): return true
        default: throw Refusal(.invalidValue, field: path)
        }
    }

    private func text(
        _ inner: PushFields.PayloadField, _ outer: PushFields.Root, at name: String, limit: Int
    ) throws(Refusal) -> String? {
        guard let (value, path) = try option(inner, outer, at: name) else { return nil }
        guard let text = value.string, text.utf8.count <= limit else { throw Refusal(.invalidValue, field: path) }
        return text
    }

    /// A field that may stand in the payload or at the top, but not in both, be they equal.
    private func option(
        _ inner: PushFields.PayloadField, _ outer: PushFields.Root, at name: String
    ) throws(Refusal) -> (value: JSONValue, path: String)? {
        switch (fields.payload[inner], fields.root[outer]) {
        case (nil, nil): return nil
        case (let value?, nil): return (value, "payload." + name)
        case (nil, let value?): return (value, name)
        case (_?, _?): throw Refusal(.invalidValue, field: name)
        }
    }

    private func expireTime() throws(Refusal) -> Int64? {
        guard let value = fields.policy[.expireTime] else { return nil }
        guard let time = ExpireTime.parse(value) else { throw Refusal(.invalidValue, field: "policy.expire_time") }
        return time
    }

    private func idempotency() throws(Refusal) -> PushRequest.Idempotency? {
        guard let value = fields.policy[.outBizNo] else { return nil }
        guard let number = value.string, (1...128).contains(number.utf8.count) else {
            throw Refusal(.invalidValue, field: "policy.out_biz_no")
        }
        // The interface's name ends at a byte that no JSON text begins with.
        let fingerprint = Digest.sha256.hash(Array(fields.interface.rawValue.utf8) + [0] + request.minified())
        return PushRequest.Idempotency(outBizNo: number, fingerprint: fingerprint)
    }
}
