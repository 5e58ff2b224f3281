/// What makes a signed request one of its kind, drawn by its caller: 8 to 64 of `A-Z a-z 0-9 . _ -`.
public struct Nonce: Hashable, Sendable {
    /// As it was sent.
    public let text: String

    /// `nil` where `text` is not of that form.
    public init?(_ text: String) {
        let bytes = text.utf8
        let isAllowed = bytes.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "-"):
                true
            default: false
            }
        }
        guard isAllowed, (8...64).contains(bytes.count) else { return nil }
        self.text = text
    }
}

/// A nonce that came with a change: the store takes it once.
public struct UsedNonce: Hashable, Sendable {
    /// The nonce.
    public let nonce: Nonce
    /// Until when a repeat would pass for in time: by the wall clock, in Unix milliseconds. Up to then it must be remembered.
    public let validUntil: Int64

    /// A nonce of a request that would be taken until then.
    public init(_ nonce: Nonce, validUntil: Int64) { (self.nonce, self.validUntil) = (nonce, validUntil) }
}
