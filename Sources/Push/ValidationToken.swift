internal import Crypto

/// What a caller proves with that it knows the app's master secret: `md5hex(lower(appkey) + lower(masterSecret) + timestamp)`.
public enum ValidationToken {
    /// The token, in lower-case hexadecimal digits.
    /// - Parameter timestamp: as it is sent in the header.
    public static func make(appKey: AppKey, masterSecret: String, timestamp: String) -> String {
        var text: [UInt8] = []
        text.reserveCapacity(256)
        for byte in appKey.text.utf8 { text.append(lowered(byte)) }
        for byte in masterSecret.utf8 { text.append(lowered(byte)) }
        text.append(contentsOf: timestamp.utf8)
        return Hex.encode(Digest.md5.hash(text))
    }

    /// Identifiers and secrets are ASCII.
    private static func lowered(_ byte: UInt8) -> UInt8 {
        (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte) ? byte | 0x20 : byte
    }
}
