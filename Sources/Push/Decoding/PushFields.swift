internal import JSON

/// The fields of the body of a push, found but not yet judged: so that an unsupported one anywhere is told before a missing one,
/// and that before a wrong value.
struct PushFields {
    enum Root: String, FieldName {
        case type
        case deviceTokens = "device_tokens"
        case userID = "user_id"
        case orgID = "org_id"
        case payload
        case policy
        // Umeng's interface, from which callers come, has these three here.
        case productionMode = "production_mode"
        case description
        case tag
    }

    enum Inner: String, FieldName {
        case displayType = "display_type"
        case body
        case productionMode = "production_mode"
        case description
        case tag
    }

    enum Body: String, FieldName {
        case title
        case custom
    }

    enum Policy: String, FieldName {
        case expireTime = "expire_time"
        case outBizNo = "out_biz_no"
    }

    let source: JSONValue
    let interface: Interface
    let root: ObjectFields<Root>
    /// `nil` where `type` is none of these.
    let kind: Kind?
    let payload: ObjectFields<Inner>
    let body: ObjectFields<Body>
    let policy: ObjectFields<Policy>
    private(set) var faults = FieldFaults()

    init(_ source: JSONValue, interface: Interface) {
        self.source = source
        self.interface = interface
        root = ObjectFields(source, faults: &faults)
        kind = root[.type].flatMap { type in
            type.isString("unicast") ? .unicast : type.isString("groupcast") ? .groupcast : nil
        }
        (payload, body) = PushFields.payload(root[.payload], interface, &faults)
        policy = ObjectFields(root[.policy], path: "policy.", faults: &faults)
        // What a repeated object holds is looked at for unsupported fields only: they come before the repetition.
        guard faults.repeated != nil else { return }
        for payload in root.repeated(.payload) { _ = PushFields.payload(payload, interface, &faults) }
        for policy in root.repeated(.policy) { _ = ObjectFields<Policy>(policy, path: "policy.", faults: &faults) }
    }

    /// What `type` may be.
    enum Kind: String, CaseIterable {
        case unicast, groupcast
    }

    /// `nil` where it is none of these.
    var displayType: DisplayType? {
        guard let type = payload[.displayType] else { return nil }
        return DisplayType.allCases.first { type.isString($0.rawValue) }
    }

    private static func payload(
        _ value: JSONValue?, _ interface: Interface, _ faults: inout FieldFaults
    ) -> (ObjectFields<Inner>, ObjectFields<Body>) {
        let isMessage = interface == .message
        let payload = ObjectFields<Inner>(
            value, path: "payload.", excluding: isMessage ? [] : [.displayType], faults: &faults)
        // The body of a configuration is a string: as an object it is of the wrong type, whatever it holds.
        guard isMessage else { return (payload, ObjectFields(nil, faults: &faults)) }
        let excluded: [Body] = payload[.displayType]?.isString(DisplayType.message.rawValue) == true ? [.title] : []
        let body = ObjectFields<Body>(payload[.body], path: "payload.body.", excluding: excluded, faults: &faults)
        guard faults.repeated != nil else { return (payload, body) }
        for other in payload.repeated(.body) {
            _ = ObjectFields<Body>(other, path: "payload.body.", excluding: excluded, faults: &faults)
        }
        return (payload, body)
    }

    // MARK: A target of the other type

    /// - Throws: 2103 for a target field that the `type` does not go with: who sends one has chosen the wrong type, or the wrong
    ///   field, and would look for what is missing in vain.
    func refuseOtherTarget() throws(Refusal) {
        switch kind {
        case .unicast: try refuse(.orgID, with: .unicast)
        case .groupcast:
            try refuse(.deviceTokens, with: .groupcast)
            try refuse(.userID, with: .groupcast)
        case nil: break
        }
    }

    private func refuse(_ name: Root, with type: Kind) throws(Refusal) {
        if root.contains(name) {
            throw Refusal(.invalidValue, field: name.rawValue, .expected(.absent(with: Root.type.rawValue, type.rawValue)))
        }
    }

    // MARK: What is missing

    /// - Throws: 2102 with all required fields that are absent.
    func refuseMissing() throws(Refusal) {
        var missing: [String] = []
        listMissing(&missing)
        guard let first = missing.first else { return }
        // Of alternatives the first is told.
        throw Refusal(.missingField, field: String(first.prefix { $0 != "/" }), .missing(missing))
    }

    /// The paths of the required fields that are absent, in the order of the interface's table. What is required inside a value
    /// of the wrong type, or for a `type` or `display_type` that does not exist, is nobody's to say.
    private func listMissing(_ missing: inout [String]) {
        if !root.contains(.type) { missing.append("type") }
        switch kind {
        case .unicast where !root.contains(.deviceTokens) && !root.contains(.userID): missing.append("device_tokens/user_id")
        case .groupcast where !root.contains(.orgID): missing.append("org_id")
        default: break
        }
        guard let payload = root[.payload] else { return missing.append("payload") }
        if payload.kind == .object { listMissingInPayload(&missing) }
    }

    private func listMissingInPayload(_ missing: inout [String]) {
        if interface == .message, !payload.contains(.displayType) { missing.append("payload.display_type") }
        guard let content = payload[.body] else { return missing.append("payload.body") }
        guard interface == .message, content.kind == .object else { return }
        switch displayType {
        case .notification where !body.contains(.title): missing.append("payload.body.title")
        case .message where !body.contains(.custom): missing.append("payload.body.custom")
        default: break
        }
    }
}
