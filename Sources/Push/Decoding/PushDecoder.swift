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
    /// Empty strings: an empty `title`, `out_biz_no` or identifier is 2103, an empty `tag` is as if absent; an empty
    /// `description` or configuration is a string like any other.
    /// - Parameters:
    ///   - nonce: of a request that is signed as a whole.
    ///   - origin: from where it came.
    /// - Throws: the first that fails of 2101, 2104, 2103 for a target of the other type, 2102, 2103, with the field's path.
    public static func decode(
        _ body: [UInt8], for interface: Interface, from app: AppKey, nonce: UsedNonce? = nil,
        origin: PushRequest.Origin? = nil
    ) throws(Refusal) -> PushRequest {
        let fields = PushFields(try JSONDocument.object(parsing: body), interface: interface)
        try fields.faults.refuseUnsupported()
        try fields.refuseOtherTarget()
        try fields.refuseMissing()
        try fields.faults.refuseRepeated()
        return try fields.request(from: app, nonce: nonce, origin: origin)
    }
}
