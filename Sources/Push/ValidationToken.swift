internal import Crypto

/// What a caller proves with that it knows the app's master secret: `md5hex(lower(appkey) + lower(masterSecret) + timestamp)`.
public enum ValidationToken {
    /// The token, in lower-case hexadecimal digits.
    /// - Parameter timestamp: as it is sent in the header.
    public static func make(appKey: AppKey, masterSecret: String, timestamp: String) -> String {
        Hex.encode(Digest.md5.hash(appKey.text.lowercased() + masterSecret.lowercased() + timestamp))
    }
}
