internal import CCrypto

/// The digest of bytes that come in parts: of a file that is larger than memory should hold.
///
/// ```swift
/// let digest = RunningDigest(.sha256)
/// while let part = try next() { digest.append(part) }
/// let hash = digest.finish()
/// ```
public final class RunningDigest {
    private let context: OpaquePointer
    private let digest: Digest

    /// Of nothing yet.
    public init(_ digest: Digest) {
        guard let context = EVP_MD_CTX_new(), EVP_DigestInit_ex2(context, digest.algorithm.pointer, nil) == 1 else {
            // With an algorithm that was found, it fails for want of memory only.
            preconditionFailure("libcrypto could not hash")
        }
        self.context = context
        self.digest = digest
    }

    deinit { EVP_MD_CTX_free(context) }

    /// The next bytes.
    public func append(_ bytes: UnsafeRawBufferPointer) {
        let done = EVP_DigestUpdate(context, bytes.baseAddress, bytes.count)
        precondition(done == 1, "libcrypto could not hash")
    }

    /// The digest of all that came. Once.
    public func finish() -> [UInt8] {
        var hash = [UInt8](repeating: 0, count: digest.byteCount)
        let done = EVP_DigestFinal_ex(context, &hash, nil)
        precondition(done == 1, "libcrypto could not hash")
        return hash
    }
}
