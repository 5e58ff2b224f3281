internal import JSON

/// Reads the body of `/psp/push/msg` and `/psp/push/config`. Pure: what depends on clock, directory or earlier pushes is the
/// store's.
public enum PushDecoder {
    /// The largest `description`, in bytes of UTF-8.
    public static let longestDescription = 1024
    /// The largest `tag`, in bytes of UTF-8.
    public static let longestTag = 128

    /// The push that a body asks for.
    ///
    /// Empty strings: an empty `out_biz_no` or identifier is 2103; an empty `title`, `tag`, `description` or configuration is a
    /// string like any other, for the interface sets no least length for them.
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
        return try fields.request(from: app)
    }
}
