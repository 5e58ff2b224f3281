internal import Base

/// What makes a signed request one of its kind, drawn by its caller: 8 to 64 of `A-Z a-z 0-9 . _ -`.
public struct Nonce: Hashable, Sendable {
    /// As it was sent.
    public let text: String

    /// `nil` where `text` is not of that form.
    public init?(_ text: String) {
        let bytes = text.utf8
        guard (8...64).contains(bytes.count), bytes.allSatisfy(\.isNameByte) else { return nil }
        self.text = text
    }
}

/// A nonce that came with a change: the store takes it once.
public struct UsedNonce: Hashable, Sendable {
    /// The nonce.
    public let nonce: Nonce
    /// The request's own time, Unix milliseconds: a repeat has the same, whatever the server is set to by then.
    public let timestamp: Int64
    /// For how long after it a repeat would pass for in time, in milliseconds: so long it must be remembered.
    public let window: Int64

    /// A nonce of a request of that time.
    public init(_ nonce: Nonce, timestamp: Int64, window: Int64) {
        (self.nonce, self.timestamp, self.window) = (nonce, timestamp, window)
    }
}
