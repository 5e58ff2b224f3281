internal import CCrypto

/// What proves that a text comes from somebody who has the key: HMAC with SHA-256 (RFC 2104, FIPS 198-1), by libcrypto.
public enum MessageAuthentication {
    /// How many bytes a code has.
    public static let byteCount = 32

    /// The text's code.
    /// - Parameter key: of any length.
    public static func code(of text: [UInt8], key: [UInt8]) -> [UInt8] {
        var code = [UInt8](repeating: 0, count: byteCount)
        var length: UInt32 = 0
        let done = HMAC(EVP_sha256(), key, Int32(key.count), text, text.count, &code, &length)
        // With an algorithm that is there, it fails for want of memory only.
        precondition(done != nil && length == byteCount, "libcrypto could not make a code")
        return code
    }
}
